-- Which batches of the queue have been stored. It is copied and replicated with what was counted, so that a batch which is
-- tried again, on whichever colour, is stored once.
-- type: schema
-- depends: create_counting_results_table

-- migrate:up
CREATE TABLE ingested_batches (
	job_id UUID PRIMARY KEY,
	ingested_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- migrate:down
DROP TABLE ingested_batches;
