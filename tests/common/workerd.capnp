# The built Worker on plain workerd, as the worker tests run it. The address and the folder of the disk
# come from the command line.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    # The providers that a test plays are on this machine, and nothing else is asked.
    (name = "internet", network = (allow = ["local"])),
    (name = "disk", disk = (writable = true)),
  ],
  extensions = .extensions,
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = "cf-blob"), service = "worker") ],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "../../build/index.js"),
    (name = "index_bg.wasm", wasm = embed "../../build/index_bg.wasm"),
  ],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["no_web_socket_compression"],
  durableObjectNamespaces = .namespaces,
  durableObjectStorage = (localDisk = "disk"),
  bindings = .bindings,
);

const namespaces :List(Workerd.Worker.DurableObjectNamespace) = [
  (className = "LobbyObject", uniqueKey = "lobby", enableSql = true),
  (className = "RoomObject", uniqueKey = "room", enableSql = true),
  (className = "DirectoryObject", uniqueKey = "directory", enableSql = true),
];

const bindings :List(Workerd.Worker.Binding) = [
  (name = "LOBBY", durableObjectNamespace = "LobbyObject"),
  (name = "ROOM", durableObjectNamespace = "RoomObject"),
  (name = "DIRECTORY", durableObjectNamespace = "DirectoryObject"),
  (
    name = "ANALYTICS",
    wrapped = (
      moduleName = "echomingle:dataset",
      innerBindings = [(name = "wanted", fromEnvironment = "DATA_POINTS")],
    ),
  ),
  (name = "ROOM_CAPACITY", text = "4"),
  (name = "ALLOWED_ORIGINS", text = "https://friend.example http://localhost:*"),
  # These are set by each test for itself (tests/worker/server.rs).
  (name = "STUN_URLS", fromEnvironment = "STUN_URLS"),
  (name = "TURN_KEY_ID", fromEnvironment = "TURN_KEY_ID"),
  (name = "TURN_KEY_API_TOKEN", fromEnvironment = "TURN_KEY_API_TOKEN"),
  (name = "TURN_API", fromEnvironment = "TURN_API"),
  (name = "TURN_URLS", fromEnvironment = "TURN_URLS"),
  (name = "TURN_SECRET", fromEnvironment = "TURN_SECRET"),
  (name = "METERED_APP", fromEnvironment = "METERED_APP"),
  (name = "METERED_SECRET_KEY", fromEnvironment = "METERED_SECRET_KEY"),
  (name = "METERED_API_KEY", fromEnvironment = "METERED_API_KEY"),
  (name = "METERED_API", fromEnvironment = "METERED_API"),
  (name = "LOG_SAMPLING", fromEnvironment = "LOG_SAMPLING"),
  (name = "LOBBY_BUDGET", fromEnvironment = "LOBBY_BUDGET"),
  (name = "HIDE_ADDRESS", fromEnvironment = "HIDE_ADDRESS"),
  (name = "TURNSTILE_SITE_KEY", fromEnvironment = "TURNSTILE_SITE_KEY"),
  (name = "TURNSTILE_SECRET", fromEnvironment = "TURNSTILE_SECRET"),
  (name = "TURNSTILE_API", fromEnvironment = "TURNSTILE_API"),
];

const extensions :List(Workerd.Extension) = [
  (modules = [(name = "echomingle:dataset", internal = true, esModule = embed "dataset.js")]),
];
