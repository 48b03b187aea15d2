-- One row per session, interaction, reviewer and parameter.
with source as (
    select * from {{ source('landing', 'reviews') }}
    -- A lake from before there were comments has none.
    union all by name
    select cast(null as varchar) as comment where false
)

select
    session_id,
    interaction_id,
    reviewer_id,
    parameter,
    rating,
    max_rating,
    department,
    is_expert,
    {{ utc('rated_at') }} as rated_at,
    not_applicable,
    comment
from source
