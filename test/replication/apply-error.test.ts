import assert from "node:assert/strict";
import { findApplyError } from "../../components/replication/apply-error";

const LOG = `2026-01-01 10:00:00.000 UTC [100] LOG:  checkpoint starting: time
2026-01-01 10:00:01.000 UTC [101] ERROR:  conflict detected on relation "public.cameras": conflict=multiple_unique_conflicts
2026-01-01 10:00:01.000 UTC [101] DETAIL:  Key already exists in unique index "cameras_pkey", modified in transaction 770.
	Key (id)=(1); existing local row (1, old); remote row (1, new).
	Key already exists in unique index "one_of_a_name", modified in transaction 771.
	Key (camera_name)=(new); existing local row (2, new); remote row (1, new).
2026-01-01 10:00:01.000 UTC [101] CONTEXT:  processing remote data for replication origin "pg_16400" during message type "INSERT" for replication target relation "public.cameras" in transaction 780, finished at 0/1
2026-01-01 10:00:02.000 UTC [100] LOG:  checkpoint complete
`;

describe("the words of an apply error", () => {
	it("are the message, every line of its detail, and where it was", () => {
		assert.equal(
			findApplyError(LOG, "16400"),
			'conflict detected on relation "public.cameras": conflict=multiple_unique_conflicts ' +
				'(Key already exists in unique index "cameras_pkey", modified in transaction 770. ' +
				"Key (id)=(1); existing local row (1, old); remote row (1, new). " +
				'Key already exists in unique index "one_of_a_name", modified in transaction 771. ' +
				"Key (camera_name)=(new); existing local row (2, new); remote row (1, new).) on INSERT into public.cameras",
		);
	});

	it("are those of the subscription that was asked for", () => {
		assert.equal(findApplyError(LOG, "16401"), undefined);
	});
});
