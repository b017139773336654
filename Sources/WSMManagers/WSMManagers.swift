// WSMManagers
