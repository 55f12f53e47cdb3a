import assert from "node:assert/strict";
import { awsSettings } from "../../components/settings/aws";
import { problems, read } from "./read";

describe("the settings of a platform", () => {
	it("tells what platform docker needs and does not have", () => {
		assert.deepEqual(
			problems({ platform: "docker", sslMode: "require", routerPort: "8000", gatewayPort: "8000" }),
			[
				"camera-counting:sslMode: found require with platform docker; allowed: disable, since its servers are on the host's loopback only",
				"camera-counting:strategy: found in-place with platform docker; allowed: blue-green",
				"camera-counting:serviceImage: found nothing with platform docker; allowed: the service's image, such as counting-api:{release}, which service/Dockerfile makes",
				"camera-counting:routerPort: found 8000, which is databasePort or gatewayPort too; allowed: another port",
			],
		);
	});

	it("refuses what is another platform's", () => {
		assert.deepEqual(
			problems({ dockerHost: "unix:///run/docker.sock", serviceImage: "counting-api:{release}" }),
			[
				"camera-counting:dockerHost: found unix:///run/docker.sock with platform local; allowed: only with platform docker",
				"camera-counting:serviceImage: found counting-api:{release} with platform local; allowed: only with platform docker or aws",
			],
		);
		assert.deepEqual(problems({ vpcId: "vpc-0a1b2c3d", databaseMultiZone: "false" }), [
			"camera-counting:vpcId: found vpc-0a1b2c3d with platform local; allowed: only with platform aws",
			"camera-counting:databaseMultiZone: found false with platform local; allowed: only with platform aws",
		]);
	});

	it("tells all that platform aws needs and does not have", () => {
		const found = problems({ platform: "aws", gatewayPort: "8080", sslMode: "require", bakeSeconds: "30" });
		assert.deepEqual(
			found.map((problem) => problem.replace("camera-counting:", "").replace(/; allowed: .*$/, "")),
			[
				"gatewayPort: found 8080 with platform aws",
				"strategy: found in-place with platform aws",
				"awsRegion: found nothing with platform aws",
				"awsAccount: found nothing with platform aws",
				"domainName: found nothing with platform aws",
				"hostedZoneId: found nothing with platform aws",
				"certificateArn: found nothing with platform aws",
				"serviceImage: found nothing with platform aws",
				"sslMode: found require with platform aws",
				"bakeSeconds: found 30 with platform aws",
				"networkCidr: found nothing with platform aws",
				"runnerSecurityGroupId: found nothing with platform aws",
				"runnerCidrs: found nothing with platform aws",
			],
		);
	});

	const digest = `counting-api@sha256:${"0a".repeat(32)}`;
	const onAws = {
		platform: "aws",
		strategy: "blue-green",
		awsRegion: "eu-central-1",
		awsAccount: "123456789012",
		networkCidr: "10.20.0.0/16",
		runnerCidrs: "10.30.4.0/24, 198.51.100.24/32",
		domainName: "counting.example.com",
		hostedZoneId: "Z0123456789ABCDEFGHIJ",
		certificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/01234567-89ab",
		serviceImage: digest,
	};

	it("gives platform aws its own defaults, whatever the environment has else", () => {
		const { sslMode, serverPerColor, bakeSeconds, readyTimeoutSeconds, runnerCidrs } = read(onAws);
		assert.deepEqual(
			{ sslMode, serverPerColor, bakeSeconds, readyTimeoutSeconds, runnerCidrs },
			{
				sslMode: "verify-full",
				serverPerColor: true,
				bakeSeconds: 300,
				readyTimeoutSeconds: 300,
				runnerCidrs: ["10.30.4.0/24", "198.51.100.24/32"],
			},
		);
		const ofServer = (changes: object) => awsSettings(read({ ...onAws, ...changes })).databaseClass;
		assert.equal(ofServer({}), "db.m7g.large");
		assert.equal(ofServer({ databaseClass: "db.r7g.xlarge" }), "db.r7g.xlarge");
	});

	const refusedOnAws: [string, Record<string, string | undefined>, RegExp][] = [
		["one server for both colours", { serverPerColor: "false" }, /:serverPerColor: found false/],
		[
			"an image by its tag",
			{ serviceImage: "counting-api:1.3.0" },
			/:serviceImage: found counting-api:1.3.0/,
		],
		["a network that is made and there", { vpcId: "vpc-0a1b2c3d" }, /:networkCidr: found it with vpcId;/],
		[
			"a network that is there in part",
			{ networkCidr: undefined, vpcId: "vpc-0a1b2c3d" },
			/:networkCidr: found nothing, and no publicSubnetIds and no privateSubnetIds;/,
		],
		[
			"one subnet alone",
			{
				networkCidr: undefined,
				vpcId: "vpc-0a1b2c3d",
				publicSubnetIds: "subnet-0a1b2c3d",
				privateSubnetIds: "subnet-0a1b2c3e, subnet-0a1b2c3f",
			},
			/:publicSubnetIds: found subnet-0a1b2c3d alone;/,
		],
		[
			"memory that Fargate does not have",
			{ serviceMemory: "8192" },
			/:serviceMemory: found 8192 with serviceCpu 512;/,
		],
		["a CPU that Fargate does not have", { serviceCpu: "300" }, /:serviceCpu: found 300;/],
		[
			"a disk that is larger than it may grow",
			{ databaseStorageGigabytes: "2000" },
			/:databaseMaxStorageGigabytes: found 1000 with databaseStorageGigabytes 2000;/,
		],
		[
			"an address within a network for that network",
			{ clientCidrs: "203.0.113.9/24" },
			/:clientCidrs: found "203\.0\.113\.9\/24"/,
		],
		["addresses that are none", { clientCidrs: "10.0.0.0/33" }, /:clientCidrs: found "10.0.0.0\/33"/],
		[
			"a runner that does not reach the load balancer",
			{ runnerCidrs: "10.30.4.0/24" },
			/:runnerCidrs: found 10\.30\.4\.0\/24 alone with platform aws; allowed: also the address that the machine has on the Internet/,
		],
		[
			"a runner that does not reach the databases",
			{ runnerCidrs: "198.51.100.24/32" },
			/:runnerSecurityGroupId: found nothing with platform aws; allowed: the security group of the machine/,
		],
		[
			"pools that all tasks together cannot have",
			{ serviceTasks: "10", poolSize: "9", maxConnections: "200" },
			/:poolSize: found 9 with maxConnections 200; allowed: at most 8, since .* of 10 tasks/,
		],
		[
			"a security group of a network that is still to be made",
			{ runnerSecurityGroupId: "sg-0a1b2c3d" },
			/:runnerSecurityGroupId: found it with networkCidr;/,
		],
		["an account that is none", { awsAccount: "12345" }, /:awsAccount: found "12345"/],
		["days that CloudWatch does not have", { logRetentionDays: "10" }, /:logRetentionDays: found "10"/],
		["an address twice", { alarmEmails: "a@example.com, a@example.com" }, /:alarmEmails: found/],
	];
	for (const [what, changes, message] of refusedOnAws) {
		it(`refuses ${what} on platform aws`, () => {
			const found = problems({ ...onAws, ...changes });
			assert.equal(found.length, 1, found.join("\n"));
			assert.match(found[0] ?? "", message);
		});
	}

	for (const [image, taken] of [
		["counting-api:{release}", true],
		["registry.example.com:5000/team/counting-api:1.3.0", true],
		[`counting-api@sha256:${"0a".repeat(32)}`, true],
		["counting-api", false],
		["counting-api:latest", false],
		["registry.example.com:5000/counting-api", false],
		["counting-api@sha256:12", false],
		["Counting API:1", false],
	] as const) {
		it(`${taken ? "takes" : "refuses"} the image ${image}`, () => {
			const changes = { platform: "docker", strategy: "blue-green", serviceImage: image };
			const found = taken ? [read(changes).serviceImage] : problems(changes);
			assert.equal(found.length, 1);
			assert.match(found[0] ?? "", taken ? /^/ : /allowed: an image with its tag \(not latest\) or digest/);
		});
	}
});
