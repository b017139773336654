// WSMRedis
