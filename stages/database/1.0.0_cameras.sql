-- Rows get ids of their own choice: an identity that is drawn stays drawn when the transaction is rolled back.
INSERT INTO cameras (id, camera_name) VALUES (-1, 'north gate');

SELECT pg_temp.is(status, 'active', 'a new camera is active') FROM cameras WHERE id = -1;
SELECT pg_temp.is(created_at, now(), 'a new camera knows when it was made') FROM cameras WHERE id = -1;
SELECT pg_temp.is(location, NULL, 'a camera needs no location') FROM cameras WHERE id = -1;
SELECT pg_temp.throws('INSERT INTO cameras (id) VALUES (-2)', '23502', 'a camera needs a name');
SELECT pg_temp.throws('INSERT INTO cameras (id, camera_name, status) VALUES (-2, ''b'', NULL)', '23502', 'a camera needs a status');
SELECT pg_temp.throws('INSERT INTO cameras (id, camera_name) VALUES (-1, ''b'')', '23505', 'an id belongs to one camera');
SELECT pg_temp.throws(
	format('INSERT INTO cameras (id, camera_name) VALUES (-2, %L)', repeat('x', 101)), '22001', 'a name has at most 100 characters');
SELECT pg_temp.lives(
	format('INSERT INTO cameras (id, camera_name) VALUES (-3, %L)', repeat('ế', 100)), 'a name of 100 characters is taken, whatever their bytes');
SELECT pg_temp.ok(pg_get_serial_sequence('cameras', 'id') IS NOT NULL, 'ids of cameras are drawn from a sequence');
