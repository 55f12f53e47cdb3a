import type { TypeName } from "libpg-query";

/** Types that PostgreSQL 18 itself has, none of which is a domain. */
export const BUILT_IN_TYPES: ReadonlySet<string> = new Set(
	(
		"aclitem bit bool box bpchar bytea char cid cidr circle date datemultirange daterange float4 float8 gtsvector inet int2 int4 " +
		"int4multirange int4range int8 int8multirange int8range interval json jsonb jsonpath line lseg macaddr macaddr8 money name " +
		"numeric nummultirange numrange oid path pg_brin_bloom_summary pg_brin_minmax_multi_summary pg_dependencies pg_lsn " +
		"pg_mcv_list pg_ndistinct pg_node_tree pg_snapshot point polygon refcursor regclass regcollation regconfig regdictionary " +
		"regnamespace regoper regoperator regproc regprocedure regrole regtype text tid time timestamp timestamptz timetz " +
		"tsmultirange tsquery tsrange tstzmultirange tstzrange tsvector txid_snapshot uuid varbit varchar xid xid8 xml"
	).split(" "),
);

/** What the parser makes a number with a sequence of. */
const SERIAL = /^(small|big)?serial[248]?$/;

export function isSerial(type: TypeName | undefined): boolean {
	const parts = partsOf(type);
	return parts.length === 1 && SERIAL.test(parts[0]!);
}

/** A type's name when it may be a domain: when it is neither PostgreSQL's own nor an array. */
export function possibleDomain(type: TypeName | undefined): string | undefined {
	const parts = partsOf(type);
	const isBuiltIn = parts[0] === "pg_catalog" || (parts.length === 1 && BUILT_IN_TYPES.has(parts[0]!));
	const isArray = (type?.arrayBounds ?? []).length > 0;
	return parts.length === 0 || isBuiltIn || isArray || isSerial(type) ? undefined : parts.join(".");
}

function partsOf(type: TypeName | undefined): string[] {
	return (type?.names ?? []).map((part) => ("String" in part ? (part.String.sval ?? "") : ""));
}
