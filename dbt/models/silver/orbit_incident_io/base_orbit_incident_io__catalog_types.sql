{{ union_instances('incident_io', 'catalog_types', columns=['id', 'type_name'], client='orbit') }}
