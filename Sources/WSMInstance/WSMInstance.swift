// WSMInstance
