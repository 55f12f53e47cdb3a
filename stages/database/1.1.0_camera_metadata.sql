INSERT INTO cameras (id, camera_name) VALUES (-1, 'north gate');

SELECT pg_temp.is(metadata, '{}'::jsonb, 'a new camera has empty metadata') FROM cameras WHERE id = -1;
SELECT pg_temp.throws('UPDATE cameras SET metadata = NULL WHERE id = -1', '23502', 'metadata is never NULL');
UPDATE cameras SET metadata = '{"lens": {"mm": 35}}' WHERE id = -1;
SELECT pg_temp.is(metadata #>> '{lens,mm}', '35', 'metadata keeps what was put in') FROM cameras WHERE id = -1;
