{{
    union_instances(
        'incident_io',
        'catalog_entries',
        columns=['id', 'catalog_type_id', 'name', '_valid_from', '_is_current'],
        client='orbit',
    )
}}
