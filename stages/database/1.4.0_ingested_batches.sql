INSERT INTO ingested_batches (job_id) VALUES ('00000000-0000-4000-8000-000000000001');
SELECT pg_temp.ok(
	(SELECT ingested_at IS NOT NULL FROM ingested_batches WHERE job_id = '00000000-0000-4000-8000-000000000001'),
	'a batch knows when it was stored');
SELECT pg_temp.throws(
	$$INSERT INTO ingested_batches (job_id) VALUES ('00000000-0000-4000-8000-000000000001')$$, '23505',
	'a batch is stored once');
