-- One row per issue type of the seed, of the centre, or seen in the data. The centre's row wins.
{{ config(materialized='view') }}

with centre as (select * from {{ ref('stg_centre_issue_types') }}),

seed as (select * from {{ ref('issue_types') }}),

interactions as (select distinct issue_type from {{ ref('int_interactions') }} where issue_type is not null),

together as (
    select
        issue_type,
        driver,
        sub_driver,
        'centre' as origin,
        1 as precedence
    from centre
    union all
    select
        issue_type,
        driver,
        sub_driver,
        'seed' as origin,
        2 as precedence
    from seed
    union all
    select
        issue_type,
        null as driver,
        null as sub_driver,
        'observed' as origin,
        3 as precedence
    from interactions
),

merged as (
    select
        issue_type,
        arg_min(driver, precedence) as driver,
        arg_min(sub_driver, precedence) as sub_driver,
        arg_min(origin, precedence) as origin
    from together
    group by issue_type
)

select * from merged
