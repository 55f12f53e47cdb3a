-- A camera's results by time, newest first: every query of the service asks that.
-- type: index
-- depends: create_counting_results_table

-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY idx_counting_results_camera_time ON counting_results (camera_id, created_at DESC);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS idx_counting_results_camera_time;
