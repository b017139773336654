// WSMReport
