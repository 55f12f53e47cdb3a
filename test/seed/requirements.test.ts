// One file for the runner, so that one process runs them all: most of them look at the same two stacks.
import "./blue-green.suite";
import "./development-stage.suite";
import "./environments.suite";
import "./health-checks.suite";
import "./monitoring.suite";
import "./pipeline.suite";
import "./production-stage.suite";
import "./rollback.suite";
import "./schema-migrations.suite";
import "./staging-stage.suite";
