// WSMVerify
