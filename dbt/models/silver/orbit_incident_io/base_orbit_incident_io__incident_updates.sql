{{
    union_instances(
        'incident_io',
        'incident_updates',
        columns=['id', 'incident_id', 'created_at', 'new_incident_status'],
        client='orbit',
    )
}}
