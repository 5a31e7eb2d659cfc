{{ union_instances('incident_io', 'severities', columns=['id', 'name', 'rank'], client='orbit') }}
