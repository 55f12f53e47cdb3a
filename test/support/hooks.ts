export { prepareTestServers as mochaGlobalSetup, removeTestServers as mochaGlobalTeardown } from "./postgres";
