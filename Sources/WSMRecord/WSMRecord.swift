// WSMRecord
