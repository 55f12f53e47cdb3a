import assert from "node:assert/strict";
import { statusText } from "../../components/monitoring/status-text";
import { fullObservation } from "./observation";

describe("the status in a terminal", () => {
	it("shows everything that is known, section by section", () => {
		assert.equal(
			statusText(fullObservation),
			`local (staging, blue-green on local)
  release 1.3.0, live on green, deploying
  as of 2026-01-01 00:02:12Z

Colours
  green-2  live  release 1.3.0    counting_local_green_2 at 127.0.0.1:5432
  blue-1   idle  release unknown  counting_local_blue_1 at 127.0.0.1:5432

Replication
  blue-1 to green-2  going on          0.0 MB behind
  green-2 to blue-1  has lost changes  0.0 MB behind  0.3 s

Migrations
  counting_local_green_2: 1 applied, newest 1.0.0 begin
    1.1.0 go_on: failed (division by zero)

Running
  deployment 7: release 1.4.0, running, 12.5 s, by ana
    1. Build Database Schema  completed  10.0 s  copied 7 rows
    2. Run Unit Tests         running

Health
  green  performance            WARNING  120 ms  2026-01-01 00:00:00Z  slow
         database_connectivity  PASS             2026-01-01 00:00:00Z

Last deployments
  7  1.4.0  running  2026-01-01 00:02:00Z  12.5 s
  6  1.4.0  failed   2026-01-01 00:00:00Z  1 min 0 s  FAST  tests: 1 of 2 failed

Last rollbacks
  6  1.4.0 to 1.3.0  manual     completed  2026-01-01 00:01:40Z  the release was put back to 1.3.0
  6  ? to ?          automatic  failed     2026-01-01 00:00:00Z  tests: 1 of 2 failed

Last 30 days
  staging: deployments 4, successful 1, failed 2, rolled back 0 (33.33 %); 20.5 s on average, 1 min 0 s at most`,
		);
	});

	it("tells what could not be asked", () => {
		assert.equal(
			statusText({ links: [], faults: ["cannot connect to a", "cannot connect to b"] }),
			"Not all of it could be asked:\n  cannot connect to a\n  cannot connect to b",
		);
	});
});
