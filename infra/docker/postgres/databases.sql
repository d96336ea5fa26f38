-- Run once, when the volume is empty. The database `serving` is made by the image itself (POSTGRES_DB).
CREATE DATABASE history;
