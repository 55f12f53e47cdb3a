-- Every query of the service asks for a camera's results by time, newest first.
SELECT pg_temp.is(
	(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = to_regclass('idx_counting_results_camera_time') AND indisvalid),
	'CREATE INDEX idx_counting_results_camera_time ON public.counting_results USING btree (camera_id, created_at DESC)',
	'a camera''s results are indexed by time, newest first');
