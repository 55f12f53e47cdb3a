import assert from "node:assert/strict";
import { type Declared, PRODUCTION, reported, reportedOfStack, resource, STAGING } from "./policies";

const DIGEST = `sha256:${"0a".repeat(32)}`;

const database: Declared = {
	type: "aws:rds/instance:Instance",
	props: {
		engine: "postgres",
		storageEncrypted: true,
		kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/1",
		publiclyAccessible: false,
		deletionProtection: true,
		skipFinalSnapshot: false,
		finalSnapshotIdentifier: "counting-production-final",
		backupRetentionPeriod: 7,
		parameterGroupName: "counting-production",
		tags: { Project: "camera-counting", Environment: "production" },
	},
};

function changed(declared: Declared, props: Record<string, unknown>): Declared {
	return { ...declared, props: { ...declared.props, ...props } };
}

describe("the policy on databases of AWS", () => {
	it("lets one through that has everything", async () => {
		for (const policy of ["encrypted", "private", "protected", "forces-tls"]) {
			assert.deepEqual(await reported(`aws-database-${policy}`, database), []);
		}
	});

	it("wants encrypted storage with a key of its own", async () => {
		const plain = changed(database, { storageEncrypted: false, kmsKeyId: undefined });
		assert.deepEqual(await reported("aws-database-encrypted", plain), [
			"storage is not encrypted: set storageEncrypted to true",
			"storage has no key of its own: set kmsKeyId to a KMS key's ARN",
		]);
		assert.equal(
			(await reported("aws-database-encrypted", { type: "aws:rds/cluster:Cluster", props: {} })).length,
			2,
		);
	});

	it("wants no public address", async () => {
		assert.deepEqual(
			await reported("aws-database-private", changed(database, { publiclyAccessible: true })),
			["the database has a public address: set publiclyAccessible to false"],
		);
	});

	it("wants production's protected, with a final snapshot and a week of backups", async () => {
		const careless = changed(database, {
			deletionProtection: false,
			skipFinalSnapshot: true,
			backupRetentionPeriod: 1,
		});
		assert.deepEqual(await reported("aws-database-protected", careless), [
			"nothing keeps the database from being deleted: set deletionProtection to true",
			"a deletion leaves no snapshot: set skipFinalSnapshot to false and finalSnapshotIdentifier to a name",
			"backupRetentionPeriod is 1: set it to at least 7 days",
		]);
		assert.deepEqual(await reported("aws-database-protected", careless, STAGING), []);
	});

	it("wants a parameter group that refuses connections without TLS", async () => {
		assert.deepEqual(
			await reported("aws-database-forces-tls", changed(database, { parameterGroupName: undefined })),
			["the server has the default parameters: set parameterGroupName to a group with rds.force_ssl 1"],
		);
		const group = (family: string, value: string) => ({
			type: "aws:rds/parameterGroup:ParameterGroup",
			props: { family, parameters: [{ name: "rds.force_ssl", value }] },
		});
		assert.deepEqual(await reported("aws-database-forces-tls", group("postgres18", "1")), []);
		assert.deepEqual(await reported("aws-database-forces-tls", group("postgres18", "0")), [
			"connections without TLS are let in: set the parameter rds.force_ssl to 1",
		]);
		assert.deepEqual(await reported("aws-database-forces-tls", group("mysql8.4", "0")), []);
	});
});

describe("the policy on listeners of AWS", () => {
	const listener = (props: Record<string, unknown>): Declared => ({
		type: "aws:lb/listener:Listener",
		props: { defaultActions: [{ type: "forward" }], ...props },
	});

	it("wants TLS 1.2 at least", async () => {
		const faults = (sslPolicy?: string) =>
			reported("aws-listener-modern-tls", listener({ protocol: "HTTPS", sslPolicy }));
		for (const policy of [
			"TLS13-1-2-2021-06",
			"TLS13-1-2-Res-2021-06",
			"TLS13-1-3-2021-06",
			"TLS-1-2-2017-01",
		]) {
			assert.deepEqual(await faults(`ELBSecurityPolicy-${policy}`), []);
		}
		assert.deepEqual(await faults("ELBSecurityPolicy-TLS13-1-0-2021-06"), [
			"ELBSecurityPolicy-TLS13-1-0-2021-06 allows TLS 1.0 or 1.1: set sslPolicy to one such as ELBSecurityPolicy-TLS13-1-2-2021-06",
		]);
		assert.equal((await faults("ELBSecurityPolicy-2016-08")).length, 1);
		assert.match((await faults())[0] ?? "", /^the default policy allows TLS 1\.0 or 1\.1: /);
	});

	it("wants nothing forwarded without TLS, by a listener or by a rule of one", async () => {
		const plain = listener({ protocol: "HTTP" });
		assert.deepEqual(await reported("aws-listener-no-plain-http", plain), [
			"requests are forwarded as they come, without TLS: redirect them to an HTTPS listener",
		]);
		const redirects = changed(plain, { defaultActions: [{ type: "redirect" }] });
		assert.deepEqual(await reported("aws-listener-no-plain-http", redirects), []);
		assert.deepEqual(await reported("aws-listener-no-plain-http", listener({ protocol: "HTTPS" })), []);

		const rules = ["HTTP", "HTTPS"].map((protocol) => {
			const of = resource("aws:lb/listener:Listener", protocol, { protocol });
			const props = { actions: [{ type: "forward" }] };
			const related = { dependencies: [of], propertyDependencies: { listenerArn: [of] } };
			return resource("aws:lb/listenerRule:ListenerRule", `rule-${protocol}`, props, related);
		});
		assert.deepEqual(await reportedOfStack("aws-listener-rule-no-plain-http", rules), [
			"rule-HTTP: requests to a plain HTTP listener are forwarded, without TLS: put the rule on an HTTPS listener",
		]);
	});
});

describe("the policy on tasks of ECS", () => {
	const task = (container: Record<string, unknown>): Declared => ({
		type: "aws:ecs/taskDefinition:TaskDefinition",
		props: {
			containerDefinitions: JSON.stringify([{ name: "api", image: `counting-api@${DIGEST}`, ...container }]),
		},
	});

	it("wants images by digest", async () => {
		assert.deepEqual(await reported("aws-task-image-digest", task({})), []);
		assert.deepEqual(await reported("aws-task-image-digest", task({ image: "counting-api:1.3.0" })), [
			"container api runs counting-api:1.3.0: name it by digest, as NAME@sha256:DIGEST",
		]);
		// To ECS that is a tag of a repository called sha256.
		assert.equal((await reported("aws-task-image-digest", task({ image: DIGEST }))).length, 1);
	});

	it("wants secrets handed over as secrets, and shows none of those that are not", async () => {
		const secret = "a-secret-of-the-test";
		const environment = [
			{ name: "PGPASSWORD", value: secret },
			{ name: "DATABASE_URL", value: `postgres://counting:${secret}@db.internal/counting` },
			{ name: "PGPASSWORD_FILE", value: "/run/secrets/database" },
			{ name: "PGHOST", value: "db.internal" },
			{ name: "PUBLIC_URL", value: "https://counting.example:8443/cameras@door" },
		];
		const faults = await reported(
			"aws-task-no-plain-secret",
			task({
				environment,
				command: ["node", "main.cjs", `--database=postgres://counting:${secret}@db/counting`],
				healthCheck: { command: ["CMD-SHELL", `PGPASSWORD=${secret} psql -c 'SELECT 1'`] },
				dockerLabels: { "api-token": secret, team: "counting" },
			}),
		);
		const mend = "in plain text: hand it over by the container's secrets";
		assert.deepEqual(faults, [
			`container api: PGPASSWORD is a secret ${mend}`,
			`container api: DATABASE_URL holds a password ${mend}`,
			`container api: its command holds a password ${mend}`,
			`container api: its health check holds a password ${mend}`,
			`container api: label api-token is a secret ${mend}`,
		]);
		const handedOver = task({
			environment: environment.slice(2),
			secrets: [{ name: "PGPASSWORD", valueFrom: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db" }],
		});
		assert.deepEqual(await reported("aws-task-no-plain-secret", handedOver), []);
	});
});

describe("the policy on tags of AWS", () => {
	it("wants those of the stack, be they the provider's defaults, and none of the release", async () => {
		assert.deepEqual(await reported("aws-tags", database), []);
		const untagged = changed(database, { tags: undefined });
		assert.deepEqual(await reported("aws-tags", untagged), [
			"tag Project is missing: set it to camera-counting",
			"tag Environment is missing: set it to production",
		]);
		const defaults = { tags: { Project: "camera-counting", Environment: "production" } };
		for (const defaultTags of [defaults, JSON.stringify(defaults)]) {
			assert.deepEqual(await reported("aws-tags", { ...untagged, provider: { defaultTags } }), []);
		}
		const wrong = changed(database, {
			tags: { Project: "camera-counting", Environment: "staging", Release: "1.3.0" },
		});
		assert.deepEqual(await reported("aws-tags", wrong), [
			'tag Environment is "staging": set it to production',
			"tag Release makes every release change the resource: leave it out, the catalog knows the release",
		]);
	});

	it("asks nothing of what cannot have tags", async () => {
		for (const type of ["aws:iam/rolePolicy:RolePolicy", "docker:index/network:Network"]) {
			assert.deepEqual(await reported("aws-tags", { type, props: {} }, PRODUCTION), []);
		}
		assert.equal(
			(await reported("aws-tags", { type: "aws:alb/targetGroup:TargetGroup", props: {} })).length,
			2,
		);
	});
});
