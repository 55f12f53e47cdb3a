const POLICY_PACK = {
	not: "the CLI alone has policy packs, and tests must not need it; test/policy/analyzer.test.ts starts the pack's program as the CLI does",
};

/** Commands of the documentation that the journey does not run: the test that does, or why none can. */
export const ELSEWHERE: Readonly<Record<string, { test: string; by: string } | { not: string }>> = {
	"npm start": {
		not: "two minutes of load; of its own program only the load is tested (test/demo), and of its commands each",
	},
	"npm test": { not: "it is what runs this" },
	"npm ci": { not: "whoever runs this has run it, or npm test has" },
	"npm run check": { not: ".ci/run runs it, beside the tests" },
	"npm run lint:workflows": { not: "it needs Go, and fetches actionlint; the workflow check runs it" },
	"npm run format": { not: "it changes the project's own files; npm run check tells where it would" },
	"npm run setup": {
		not: "it gets the Pulumi CLI from the network, and tests must not need that; its choice of an engine is in every test",
	},
	"npx mocha --no-config --timeout 300000 --require tsx/cjs --require ./test/support/hooks.ts 'test/seed/*.test.ts'":
		{ not: "it is how a part of the tests is run, and these are all of them" },
	"npx mocha --no-config --timeout 300000 --require tsx/cjs --require ./test/support/hooks.ts test/guards/faults.test.ts":
		{ not: "it is how one file of the tests is run, and these are all of them" },
	"npm run rollback -- -s S --release 1.4.0": { test: "test/e2e/rollback.test.ts", by: '"--release", ' },
	"npm run docs:settings": { test: "test/settings/reference.test.ts", by: "settingsReference" },
	"npm run dashboard -- -s S": { test: "test/e2e/dashboard.test.ts", by: "dashboard.ts" },
	"npm run dashboard -- -s S --token-file /etc/counting/dashboard-token": {
		test: "test/dashboard/options.test.ts",
		by: "--token-file",
	},
	"npm run restore -- -s S <file>": { test: "test/e2e/release.test.ts", by: ".restore(" },
	"npm run restore -- -s S FILE": { test: "test/e2e/release.test.ts", by: ".restore(" },
	"npm run comment -- 12 --as report-staging report.md": {
		test: "test/scripts/github.test.ts",
		by: "scripts/comment.ts",
	},
	"node --require tsx/cjs engine/main.ts up --yes -s S": {
		test: "test/engine/commands.test.ts",
		by: 'bench.run("up", "--yes", "-s", "dev")',
	},
	"npm run soak -- --schedules 1000 --seed 20261125": {
		not: "it goes on for hours; the same schedules are run in small numbers by test/traffic/crash.test.ts",
	},
	"npm run bench:copy": { not: "a measurement of many minutes, which nothing may run beside" },
	"npm run bench:scale": { not: "a measurement of half an hour, which nothing may run beside" },
	"docker build -f service/Dockerfile -t counting-api:1.4.0 .": {
		not: "its base image comes from a registry, and tests must not need the network",
	},
	"docker buildx build --platform linux/amd64 -f service/Dockerfile --push -t … .": {
		not: "it needs a registry of one's own",
	},
	"openssl rand -base64 32 > /etc/counting/dashboard-token": { not: "it writes a file of the system's" },
	"chmod 600 /etc/counting/dashboard-token": { not: "it changes a file of the system's" },
	"openssl rand -base64 32 | npm run pulumi -- config set --secret notifySecret -s S": {
		test: "test/e2e/secrets.test.ts",
		by: '"--secret", "notifySecret"',
	},
	'echo \'{ "aws-tags": "advisory" }\' > exceptions.json': {
		not: "it is for the command after it, which needs the CLI",
	},
	"docker rm -f <name>": { not: "Docker's own, for what a killed update has left" },
	"docker network rm <name>": { not: "Docker's own, for what a killed update has left" },
	"docker run -v <name>-database-data:…": { not: "Docker's own, for rows that were kept" },
	"docker volume rm": { not: "Docker's own, for rows that were kept" },
	"docker rm -f <id>": { not: "Docker's own, for what a killed update has left" },
	"npm run pulumi -- stack --show-ids -s S": { not: "it is about containers, which only the CLI makes" },
	"docker ps -a --no-trunc --filter network=counting-staging": {
		not: "Docker's own, for what a killed update has left",
	},
	"docker ps -a --no-trunc --filter volume=counting-staging-blue-1-secrets": {
		not: "Docker's own, for what a killed update has left",
	},
	"curl -o certificates/rds.pem https://truststore.pki.rds.amazonaws.com/eu-central-1/eu-central-1-bundle.pem":
		{
			not: "it gets a file of AWS's from the network",
		},
	"ssh -L 7780:127.0.0.1:7780 deploy.example.org": { not: "it needs a machine of one's own" },
	"ssh -L": { not: "it is told what does not do" },
	"pulumi login s3://…": { not: "it needs a bucket of one's own" },
	"pulumi stack init production --secrets-provider awskms://…": { not: "it needs a key of one's own" },
	"npm run pulumi -- preview --diff": { not: "it is for a stack that an older version deployed on AWS" },
	"npm run pulumi -- import": { not: "it needs what an older version deployed on AWS" },
	"npm run pulumi -- state rename": { not: "it needs what an older version deployed on AWS" },
	"npm run pulumi -- preview --policy-pack policy -s S": POLICY_PACK,
	"pulumi preview -s S --policy-pack policy": POLICY_PACK,
	"pulumi preview -s S --policy-pack policy --policy-pack-config exceptions.json": POLICY_PACK,
	"pulumi up -s S --policy-pack policy": POLICY_PACK,
	"npm run pulumi -- preview --policy-pack policy": POLICY_PACK,
	"npm run pulumi -- up --policy-pack policy": POLICY_PACK,
	"npm run pulumi -- config set <key> <value> -s S": { test: "test/docs/journey.ts", by: "config set" },
};
