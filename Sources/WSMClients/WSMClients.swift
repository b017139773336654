// WSMClients
