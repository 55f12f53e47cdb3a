INSERT INTO cameras (id, camera_name) VALUES (-1, 'north gate');
INSERT INTO counting_results (id, camera_id, count_type, count_value) VALUES (-1, -1, 'person', 0);

SELECT pg_temp.is(created_at, now(), 'a result knows when it was counted') FROM counting_results WHERE id = -1;
SELECT pg_temp.is(confidence_score, NULL, 'a result needs no confidence') FROM counting_results WHERE id = -1;
SELECT pg_temp.throws(
	'INSERT INTO counting_results (id, camera_id, count_type, count_value) VALUES (-2, -1, ''person'', -1)',
	'23514', 'nothing is counted below zero');
SELECT pg_temp.throws(
	format('INSERT INTO counting_results (id, camera_id, count_type, count_value, confidence_score) VALUES (-2, -1, ''person'', 1, %s)', score),
	'23514', format('a confidence of %s is refused', score))
FROM unnest(ARRAY['-0.0001', '1.0001']) AS score;
SELECT pg_temp.lives(
	format('INSERT INTO counting_results (id, camera_id, count_type, count_value, confidence_score) VALUES (%s, -1, ''person'', 1, %s)', -10 - ordinality, score),
	format('a confidence of %s is taken', score))
FROM unnest(ARRAY['0', '0.9999', '1']) WITH ORDINALITY AS taken (score, ordinality);
SELECT pg_temp.throws(
	'INSERT INTO counting_results (id, camera_id, count_type, count_value) VALUES (-2, -99, ''person'', 1)',
	'23503', 'a result belongs to a camera that there is');
SELECT pg_temp.throws('DELETE FROM cameras WHERE id = -1', '23503', 'a camera with results stays');
SELECT pg_temp.throws(
	'INSERT INTO counting_results (id, camera_id, count_value) VALUES (-2, -1, 1)', '23502', 'a result says what was counted');
