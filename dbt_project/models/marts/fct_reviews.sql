-- One row per rating that a person gave. Restricted: comments are free text about calls. It never enters a score.
with reviews as (select * from {{ ref('stg_reviews') }}),

interactions as (select * from {{ ref('fct_interactions') }})

select
    reviews.interaction_id,
    reviews.session_id,
    reviews.reviewer_id,
    reviews.parameter,
    interactions.call_date,
    reviews.department,
    reviews.is_expert,
    reviews.rating,
    reviews.max_rating,
    100 * reviews.rating / reviews.max_rating as points,
    reviews.not_applicable,
    reviews.comment,
    reviews.rated_at
from reviews
inner join interactions on reviews.interaction_id = interactions.interaction_id
-- Nothing of a customer who did not consent is shown, what was written about the call neither.
where interactions.reason is distinct from 'opted_out'
