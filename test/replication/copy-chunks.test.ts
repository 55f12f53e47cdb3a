import assert from "node:assert/strict";
import fc from "fast-check";
import { type Chunk, copyStatements, divide, rowsOf } from "../../components/replication/copy-chunks";
import type { ReplicatedColumn, ReplicatedTable } from "../../components/replication/tables";

function column(changed: Partial<ReplicatedColumn> = {}): ReplicatedColumn {
	return { name: "id", type: "integer", builtIn: true, generated: false, nullable: false, ...changed };
}

function table(
	leaves: { pages: number; bytes: number }[],
	columns: ReplicatedColumn[] = [column()],
): ReplicatedTable {
	return {
		schema: "public",
		name: "t",
		sql: '"public"."t"',
		columns,
		identity: "key",
		partitioned: false,
		leaves: leaves.map((leaf, index) => ({ ...leaf, sql: `"public"."t${index}"`, estimatedRows: 0 })),
	};
}

describe("the chunks of a copy", () => {
	it("cover every page of a leaf once, with the last one open at its end", () => {
		fc.assert(
			fc.property(
				fc.array(fc.record({ pages: fc.nat(10_000), bytes: fc.nat(1_000_000) }), {
					minLength: 1,
					maxLength: 5,
				}),
				fc.integer({ min: 1, max: 100_000 }),
				(leaves, chunkBytes) => {
					const chunks = divide([table(leaves)], chunkBytes);
					for (const index of leaves.keys()) {
						const own = chunks.filter(({ leaf }) => leaf === `"public"."t${index}"`);
						assert(own.length > 0);
						let next = 0;
						for (const { pages } of own) {
							assert.equal(pages?.from ?? 0, next);
							next = pages?.to ?? Number.POSITIVE_INFINITY;
							assert(next > (pages?.from ?? 0));
						}
						assert.equal(next, Number.POSITIVE_INFINITY);
					}
				},
			),
		);
	});

	it("of the largest leaves come first", () => {
		const sizes = [5, 30, 10].map((bytes) => ({ pages: 10, bytes }));
		assert.deepEqual(
			divide([table(sizes)], 15).map(({ leaf, bytes }) => [leaf, bytes]),
			[
				['"public"."t1"', 15],
				['"public"."t1"', 15],
				['"public"."t2"', 10],
				['"public"."t0"', 5],
			],
		);
	});

	it("take rows by the pages that they are on", () => {
		const chunk: Chunk = { table: table([]), leaf: "t", bytes: 1 };
		assert.equal(rowsOf(chunk), "ONLY t");
		assert.equal(
			rowsOf({ ...chunk, pages: { from: 0, to: 9 } }),
			"ONLY t WHERE ctid >= '(0,0)' AND ctid < '(9,0)'",
		);
		assert.equal(rowsOf({ ...chunk, pages: { from: 9 } }), "ONLY t WHERE ctid >= '(9,0)'");
	});

	it("are copied in binary form only where both databases read it alike", () => {
		const format = (columns: ReplicatedColumn[]) =>
			/FORMAT (\w+)/.exec(copyStatements({ table: table([], columns), leaf: "t", bytes: 1 }).in)?.[1];
		assert.equal(format([column(), column({ type: "numeric(5,4)" })]), "binary");
		assert.equal(format([column(), column({ type: "mood", builtIn: false })]), "text");
		assert.equal(format([column({ type: "mood", builtIn: false, generated: true })]), "binary");
		for (const type of ["regclass", "regprocedure[]", "aclitem"])
			assert.equal(format([column({ type })]), "text");
	});

	it("name the columns that are not generated", () => {
		const columns = [column(), column({ name: 'a "b"' }), column({ name: "g", generated: true })];
		const chunk: Chunk = { table: table([], columns), leaf: "t", pages: { from: 7 }, bytes: 1 };
		assert.deepEqual(copyStatements(chunk), {
			out: `COPY (SELECT "id", "a ""b""" FROM ONLY t WHERE ctid >= '(7,0)') TO STDOUT WITH (FORMAT binary)`,
			in: `COPY t ("id", "a ""b""") FROM STDIN WITH (FORMAT binary)`,
		});
	});
});
