-- Lets the benchmark make transactions that stay open after they have begun to write.
-- type: schema
-- depends: create_counting_results_table

-- migrate:up
CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep(0.12);
	RETURN NEW;
END;
$$;
CREATE TRIGGER take_long BEFORE INSERT ON counting_results
	FOR EACH ROW WHEN (NEW.count_type LIKE 'slow-%') EXECUTE FUNCTION take_long();

-- migrate:down
DROP TRIGGER take_long ON counting_results;
DROP FUNCTION take_long();
