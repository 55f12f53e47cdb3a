-- Whatever an installation wants to keep about a camera.
-- type: schema
-- depends: create_initial_schema

-- migrate:up
ALTER TABLE cameras ADD COLUMN metadata JSONB NOT NULL DEFAULT '{}';

-- migrate:down
ALTER TABLE cameras DROP COLUMN metadata;
