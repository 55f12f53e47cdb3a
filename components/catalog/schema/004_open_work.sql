-- Each preview asks whether anything is still open; there are many stages and rollbacks, and hardly any that are.
CREATE INDEX deployment_stages_running ON deployment_stages (pipeline_id) WHERE status = 'running';
CREATE INDEX deployment_rollbacks_open ON deployment_rollbacks (pipeline_id) WHERE rollback_status IN ('pending', 'running');
