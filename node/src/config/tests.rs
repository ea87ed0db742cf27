//! Precedence of the three sources, and the sentence for everything that cannot be used.

use std::os::unix::ffi::OsStringExt;

use super::*;

fn load(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, file).unwrap();
    let own = |(a, b): &(&str, &str)| (OsString::from(a), OsString::from(b));
    let flags: Vec<(&str, String)> = flags.iter().map(|(a, b)| (*a, (*b).to_owned())).collect();
    Config::load(Some(&path), variables.iter().map(own), &flags).map_err(|error| {
        let folder = format!("{}/", folder.path().display());
        error.to_string().replace(&folder, "")
    })
}

#[test]
fn flags_come_over_variables_over_the_file_over_defaults() {
    let file = "listen = \"127.0.0.1:1\"\nnode = \"file\"\ndata = \"file\"\n";
    let variables = [
        ("ROOKERY_NODE", "variable"),
        ("ROOKERY_DATA", "variable"),
        ("OTHER", "x"),
    ];
    let config = load(file, &variables, &[("data", "flag")]).unwrap();
    assert_eq!(config.listen.port(), 1);
    assert_eq!(config.node, "variable");
    assert_eq!(config.data, Path::new("flag"));
    assert_eq!(config.registration, Registration::Open);
    assert_eq!(load("", &[], &[]), Ok(Config::default()));
}

#[test]
fn every_setting_is_read_from_a_file_and_from_a_variable() {
    let samples = [
        ("listen", "0.0.0.0:80"),
        ("data", "/srv"),
        ("store.url", "mongodb://ada:s3cret@10.0.0.1/chat"),
        ("ephemeral.url", "rediss://:s3cret@10.0.0.1/0"),
        ("ephemeral.prefix", "chat:"),
        ("ephemeral.ca", "ca.pem"),
        ("node", "n-1"),
        ("cluster.listen", "10.0.0.2:7070"),
        ("cluster.advertise", "n-1.example:7070"),
        ("cluster.ca", "ca.pem"),
        ("cluster.cert", "n-1.pem"),
        ("cluster.key", "n-1-key.pem"),
        ("admin.listen", "10.0.0.2:9180"),
        ("public_url", "https://chat.example/"),
        ("auth.registration", "invite"),
        ("trusted_proxies", "10.0.0.0/8, 192.0.2.1"),
        ("cors_origins", "https://a.example,*"),
        ("connections", "10"),
        ("media.max_upload_bytes", "1000"),
        ("voice.public_url", "https://n-1.example"),
        ("voice.ports", "50000, 50001"),
        ("voice.listen", "0.0.0.0,::"),
        ("voice.public", "203.0.113.7"),
        (
            "voice.turn_urls",
            "turn:turn.example:3478,turns:turn.example?transport=tcp",
        ),
        ("voice.turn_secret", "north"),
        ("tls.cert", "c.pem"),
        ("tls.key", "k.pem"),
        ("limits.enabled", "false"),
        ("limits.global", "1/1s"),
        ("limits.default", "2/2s"),
        ("limits.messages", "3/3s"),
        ("limits.create", "4/4m"),
        ("limits.accounts", "5/5m"),
        ("limits.login_account", "6/6m"),
        ("limits.login_address", "7/7h"),
        ("log.level", "info,rookery_node=debug"),
        ("log.format", "json"),
    ];
    let named: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
    let all: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(named, all);
    let variables: Vec<(String, &str)> = samples
        .iter()
        .zip(SETTINGS)
        .map(|((_, text), setting)| (setting.variable(), *text))
        .collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(a, b)| (a.as_str(), *b)).collect();
    let by_variables = load("", &variables, &[]).unwrap();
    let file = r#"
        listen = "0.0.0.0:80"
        data = "/srv"
        node = "n-1"
        public_url = "https://chat.example"
        trusted_proxies = ["10.0.0.0/8", "192.0.2.1/32"]
        cors_origins = ["https://a.example", "*"]
        connections = 10
        [store]
        url = "mongodb://ada:s3cret@10.0.0.1/chat"
        [ephemeral]
        url = "rediss://:s3cret@10.0.0.1/0"
        prefix = "chat:"
        ca = "ca.pem"
        [cluster]
        listen = "10.0.0.2:7070"
        advertise = "n-1.example:7070"
        ca = "ca.pem"
        cert = "n-1.pem"
        key = "n-1-key.pem"
        [admin]
        listen = "10.0.0.2:9180"
        [auth]
        registration = "invite"
        [media]
        max_upload_bytes = 1000
        [voice]
        public_url = "https://n-1.example"
        ports = [50000, 50001]
        listen = ["0.0.0.0", "::"]
        public = ["203.0.113.7"]
        turn_urls = ["turn:turn.example:3478", "turns:turn.example?transport=tcp"]
        turn_secret = "north"
        [tls]
        cert = "c.pem"
        key = "k.pem"
        [limits]
        enabled = false
        global = "1/1s"
        default = "2/2s"
        messages = "3/3s"
        create = "4/4m"
        accounts = "5/5m"
        login_account = "6/6m"
        login_address = "7/7h"
        [log]
        level = "info,rookery_node=debug"
        format = "json"
    "#;
    assert_eq!(load(file, &[], &[]).unwrap(), by_variables);
    assert_ne!(by_variables, Config::default());
    assert!(!format!("{by_variables:?}").contains("s3cret"));
}

#[test]
fn whatever_cannot_be_used_is_named_in_one_sentence() {
    let table = [
        (
            "\n\nlisen = 1\n",
            "settings.toml line 3: unknown setting `lisen`",
        ),
        ("[limit]\n", "settings.toml line 1: unknown setting `limit`"),
        (
            "[tls]\ncart = \"x\"",
            "settings.toml line 2: unknown setting `tls.cart`",
        ),
        (
            "listen = \"here\"",
            "settings.toml line 1: `listen` takes an address with a port such as 127.0.0.1:8080, not `here`",
        ),
        (
            "connections = 1.5",
            "settings.toml line 1: `connections` takes a number from 1 to 1000000, not a fraction",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/8\", \"x\"]",
            "settings.toml line 1: `trusted_proxies` takes a list of networks such as [\"10.0.0.0/8\"], not `x`",
        ),
        (
            "[limits]\nmessages = \"5\"",
            "settings.toml line 2: `limits.messages` takes a quota such as \"5/5s\", not `5`",
        ),
        (
            "[store]\nurl = \"mysql://ada:s3cret@10.0.0.1\"",
            "settings.toml line 2: `store.url` takes a URL such as mongodb://127.0.0.1:27017/rookery, not what it was given",
        ),
        (
            "[ephemeral]\nurl = \"http://:s3cret@10.0.0.1\"",
            "settings.toml line 2: `ephemeral.url` takes a URL such as redis://127.0.0.1:6379, not what it was given",
        ),
        (
            "[cluster]\nlisten = \"10.0.0.1\"",
            "settings.toml line 2: `cluster.listen` takes an address with a port such as 10.0.0.1:7070, not `10.0.0.1`",
        ),
        (
            "[cluster]\nadvertise = \"node-1\"",
            "settings.toml line 2: `cluster.advertise` takes a host and port such as node-1.example:7070, not `node-1`",
        ),
        (
            "[cluster]\nlisten = \"10.0.0.1:1\"\nca = \"x\"\nkey = \"x\"",
            "cluster.cert: is missing: [cluster] needs ca, cert and key",
        ),
        (
            "[cluster]\nlisten = \"0.0.0.0:1\"\nca = \"x\"\ncert = \"x\"\nkey = \"x\"",
            "cluster.advertise: is missing: nobody reaches a node by `0.0.0.0:1`",
        ),
        (
            "[cluster]\nlisten = \"10.0.0.1:1\"\nca = \"x\"\ncert = \"x\"\nkey = \"x\"",
            "store.url: is missing: the nodes of a cluster share a store",
        ),
        (
            "[tls]\ncert = \"x\"",
            "tls.key: is missing: [tls] needs cert and key",
        ),
    ];
    for (file, sentence) in table {
        assert_eq!(load(file, &[], &[]).unwrap_err(), sentence);
    }
    let broken = load("\nlisten = \n", &[], &[]).unwrap_err();
    assert!(broken.starts_with("settings.toml line 2: "), "{broken}");
    assert_eq!(broken.lines().count(), 1);
    assert_eq!(
        load("", &[("ROOKERY_LISEN", "x")], &[]).unwrap_err(),
        "variable ROOKERY_LISEN: unknown setting"
    );
    assert_eq!(
        load("", &[("ROOKERY_CONNECTIONS", "0")], &[]).unwrap_err(),
        "variable ROOKERY_CONNECTIONS: `connections` takes a number from 1 to 1000000, not `0`"
    );
    assert_eq!(
        load("", &[], &[("node", "a b")]).unwrap_err(),
        "flag --node: `node` takes a name of 1 to 64 letters, digits, `-` or `_`, not `a b`"
    );
    let missing = Config::load(Some(Path::new("/nowhere.toml")), [], &[]).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("/nowhere.toml: cannot be read")
    );
}

#[test]
fn the_file_that_nobody_names_may_be_missing_and_not_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(DEFAULT_FILE);
    let read = || {
        let mut config = Config::default();
        config.read_at(&path, false).map(|()| config)
    };
    assert_eq!(read(), Ok(Config::default()));
    std::fs::write(&path, "node = \"n\"").unwrap();
    assert_eq!(read().unwrap().node, "n");
    std::fs::write(&path, b"node = \"\xff\"").unwrap();
    let no_text = read().unwrap_err();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let no_file = read().unwrap_err();
    for refused in [no_text, no_file] {
        assert_eq!(refused.place, path.display().to_string());
        let problem = refused.problem;
        assert!(problem.starts_with("cannot be read: "), "{problem}");
    }
}

#[test]
fn a_variable_that_is_no_text_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, "").unwrap();
    let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let load = |name: &[u8], text: &[u8]| {
        let loaded = Config::load(Some(&path), [(bytes(name), bytes(text))], &[]);
        loaded.map_err(|error| error.to_string())
    };
    for name in ["ROOKERY_NODE", "ROOKERY_CONFIG", "ROOKERY_ADMIN_TOKEN"] {
        assert_eq!(
            load(name.as_bytes(), b"\xff").unwrap_err(),
            format!("variable {name}: is not UTF-8")
        );
    }
    assert_eq!(
        load(b"ROOKERY_\xff", b"x").unwrap_err(),
        "variable ROOKERY_\u{fffd}: unknown setting"
    );
    assert_eq!(load(b"OTHER", b"\xff"), Ok(Config::default()));
    assert_eq!(load(b"OTHER_\xff", b"x"), Ok(Config::default()));
}

#[test]
fn others_are_told_where_a_node_is_reached() {
    let told = |listen: &str, advertise: &str| {
        let mut config = Config::default();
        for (name, text) in [("cluster.listen", listen), ("cluster.advertise", advertise)] {
            let value = Value::Text(text.to_owned());
            config.set(name, &value).unwrap();
        }
        config.cluster.reached_by()
    };
    let own = |text: &str| Some(text.to_owned());
    assert_eq!(told("", ""), None);
    assert_eq!(told("", "a:1"), None);
    assert_eq!(told("10.0.0.1:7", ""), own("10.0.0.1:7"));
    assert_eq!(told("0.0.0.0:7", "node-1:8"), own("node-1:8"));
    assert_eq!(told("[::]:7", "[::1]:8"), own("[::1]:8"));
}

#[test]
fn the_shipped_file_names_every_setting_with_its_default() {
    let shipped = include_str!("../../../cluster.toml");
    let mut config = Config::default();
    config.read_file("cluster.toml", shipped).unwrap();
    assert_eq!(config, Config::default(), "unedited, it changes nothing");
    let uncommented: String = shipped
        .lines()
        .filter(|line| !line.starts_with("##"))
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n");
    let named: Vec<String> = file::settings("cluster.toml", &uncommented)
        .unwrap()
        .into_iter()
        .map(|(_, name, _)| name)
        .collect();
    for setting in SETTINGS {
        assert!(
            named.iter().any(|name| name == setting.name),
            "{}",
            setting.name
        );
    }
    let mut config = Config::default();
    config.read_file("cluster.toml", &uncommented).unwrap();
    config.tls = Tls::default();
    config.public_url = None;
    config.store = None;
    config.ephemeral.ca = None;
    config.cluster = Cluster::default();
    assert_eq!(
        config,
        Config::default(),
        "the defaults it names are the defaults"
    );
}
