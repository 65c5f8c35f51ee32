-- The two roles and the database, once, as a superuser:
--   psql -v migrator_password=… -v runtime_password=… -f deploy/database.sql
-- Afterwards `manage.py migrate_schema` creates the tables and gives the runtime role its rights.
CREATE ROLE strongroom_migrator LOGIN PASSWORD :'migrator_password';
CREATE ROLE strongroom_runtime LOGIN PASSWORD :'runtime_password';
CREATE DATABASE strongroom OWNER strongroom_migrator;
REVOKE ALL ON DATABASE strongroom FROM PUBLIC;
GRANT CONNECT ON DATABASE strongroom TO strongroom_runtime;
