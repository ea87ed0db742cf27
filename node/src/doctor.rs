//! `rookery doctor`: what the nodes warn of, and whether people will be able to speak, as far as a node can tell by itself. Voice that does not connect is
//! what who runs a server of his own runs into first, and mostly it is an address or a port.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rookery_protocol::inspect::{DoctorReport, Finding};
use tokio::net::{TcpStream, UdpSocket, lookup_host};

use crate::admin::api::Api;
use crate::admin::client::{Admin, AdminError};
use crate::config::{Config, VoiceSettings};
use crate::random;
use crate::voice::media::Media;

/// How long a server may take to answer, and how often it is asked: datagrams are lost.
const ANSWER: Duration = Duration::from_millis(700);
/// How often a TURN server is asked.
const TRIES: usize = 3;
/// The port of TURN servers that name none, without and with TLS.
const TURN_PORTS: (u16, u16) = (3478, 5349);

/// Looks at what the nodes warn of, and at the node of the settings, whether or not it serves.
pub async fn examine(config: &Config, api: &Api) -> DoctorReport {
    let mut findings = Vec::new();
    match addresses(config).await {
        Ok((addresses, is_serving)) => {
            let ports: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let whose = if is_serving {
                "the serving node has"
            } else {
                "a node could have"
            };
            findings.push(good(format!("{whose} media at UDP {}", ports.join(", "))));
            findings.extend(told(config, &addresses));
            findings.extend(turn(&config.voice, &addresses).await);
        }
        Err(problem) => findings.push(bad(problem)),
    }
    findings.extend(warnings(api).await);
    let ok = findings.iter().all(|finding| finding.ok);
    DoctorReport { ok, findings }
}

/// The report as a text.
pub fn for_people(report: &DoctorReport) -> String {
    let line = |finding: &Finding| {
        let mark = if finding.ok { "ok  " } else { "FIX " };
        format!("{mark}{}", finding.what)
    };
    let lines: Vec<String> = report.findings.iter().map(line).collect();
    lines.join("\n")
}

/// What the nodes of the cluster warn of, if one serves.
async fn warnings(api: &Api) -> Vec<Finding> {
    match api.warnings().await {
        Ok(warnings) if warnings.warnings.is_empty() => {
            vec![good(
                "no node has warned of anything for a minute".to_owned(),
            )]
        }
        Ok(warnings) => {
            let warnings = warnings.warnings.into_iter();
            let found = warnings.map(|warning| bad(format!("{}: {}", warning.node, warning.what)));
            found.collect()
        }
        Err(AdminError::Nobody(_)) => {
            vec![good(
                "no node serves here: its warnings are not looked at".to_owned(),
            )]
        }
        Err(error) => vec![bad(error.to_string())],
    }
}

fn good(what: String) -> Finding {
    Finding { ok: true, what }
}

fn bad(what: String) -> Finding {
    Finding { ok: false, what }
}

/// The addresses that clients are told, and whether a node serves: of the one that does, or of one that could.
async fn addresses(config: &Config) -> Result<(Vec<SocketAddr>, bool), String> {
    let admin = Admin::connect(&config.data).await;
    if let Some(admin) = admin.map_err(|error| error.to_string())? {
        let addresses = admin.voice().await.map_err(|error| error.to_string())?;
        return Ok((addresses, true));
    }
    // Its sockets are gone again when it is dropped.
    let media = Media::start(&config.voice.media());
    let media = media.map_err(|error| format!("{error}: name another port in [voice] ports"))?;
    Ok((media.addresses(), false))
}

/// What is to be said of the addresses that clients are told.
fn told(config: &Config, addresses: &[SocketAddr]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ports: Vec<String> = addresses.iter().map(|a| a.port().to_string()).collect();
    let ports = ports.join(", ");
    if addresses.is_empty() {
        let what = "clients are told no address: [voice] public names none of the family of [voice] listen";
        findings.push(bad(what.to_owned()));
    }
    if config.voice.ports.contains(&0) {
        let what = "[voice] ports has a 0, which is another port after each start: no firewall or router can let it through";
        findings.push(bad(what.to_owned()));
    }
    let is_local = config.listen.ip().is_loopback() && config.public_url.is_none();
    if is_local {
        let what = "the node serves this machine only (`listen`), so media needs no address that others reach";
        findings.push(good(what.to_owned()));
    } else if !addresses.is_empty() && addresses.iter().all(|a| !is_global(a.ip())) {
        let list: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
        findings.push(bad(format!(
            "clients are told {}, which only this network reaches: set [voice] public to the address that the internet reaches this \
             machine by, and have the router forward UDP {ports} to it",
            list.join(", ")
        )));
    } else if !addresses.is_empty() {
        findings.push(good(format!(
            "clients are told an address that the internet can reach; firewalls must let UDP {ports} in"
        )));
    }
    if config.voice.turn_urls.is_empty() {
        findings.push(good(
            "no TURN server is named ([voice] turn_urls): people whose network lets no UDP out cannot speak".to_owned(),
        ));
    } else if config.voice.turn_secret.is_none() {
        findings.push(bad(
            "[voice] turn_urls has no [voice] turn_secret beside it: it is coturn's `static-auth-secret`".to_owned(),
        ));
    }
    findings
}

/// Whether an address may be one of the internet.
fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_documentation()
                || is_shared)
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            let is_local = first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80;
            !(ip.is_loopback() || ip.is_unspecified() || is_local)
        }
    }
}

/// Asks the TURN servers, and what address they see.
async fn turn(settings: &VoiceSettings, addresses: &[SocketAddr]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for url in &settings.turn_urls {
        findings.push(match ask(url).await {
            Ok(None) => good(format!("{url} answers")),
            Ok(Some(seen)) if differs(seen, settings, addresses) => bad(format!(
                "{url} sees this machine at {seen}, but clients are told another address: set [voice] public to {seen}"
            )),
            Ok(Some(seen)) => good(format!("{url} answers, and sees this machine at {seen}")),
            Err(why) => bad(format!("{url} {why}: start it, or take it out of [voice] turn_urls")),
        });
    }
    findings
}

/// Whether what the internet sees is something else than what clients are told.
fn differs(seen: IpAddr, settings: &VoiceSettings, addresses: &[SocketAddr]) -> bool {
    let same_family = |ip: IpAddr| ip.is_ipv4() == seen.is_ipv4();
    let mut told = addresses
        .iter()
        .map(SocketAddr::ip)
        .filter(|ip| same_family(*ip));
    let is_told = told.any(|ip| ip == seen);
    is_global(seen) && !is_told && settings.public.iter().all(|ip| *ip != seen)
}

/// Asks a TURN server; over UDP it says what address it sees.
async fn ask(url: &str) -> Result<Option<IpAddr>, String> {
    let (scheme, rest) = url.split_once(':').unwrap_or(("turn", url));
    let (host, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_tls = scheme == "turns";
    let default = if is_tls { TURN_PORTS.1 } else { TURN_PORTS.0 };
    let has_port = host.rsplit_once(':').is_some_and(|(before, port)| {
        port.parse::<u16>().is_ok() && (!before.contains(':') || before.ends_with(']'))
    });
    let place = if has_port {
        host.to_owned()
    } else {
        format!("{host}:{default}")
    };
    let found = lookup_host(&place).await;
    let found = found.ok().and_then(|mut found| found.next());
    let address = found.ok_or("is not found")?;
    if is_tls || query.contains("transport=tcp") {
        let connecting = tokio::time::timeout(ANSWER * 3, TcpStream::connect(address)).await;
        return match connecting {
            Ok(Ok(_)) => Ok(None),
            _ => Err("takes no connection".to_owned()),
        };
    }
    binding(address).await.map(Some)
}

/// A Binding request of STUN, and the address in its answer.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8489#section-5>
async fn binding(server: SocketAddr) -> Result<IpAddr, String> {
    let any: SocketAddr = if server.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0u16; 8], 0).into()
    };
    let socket = UdpSocket::bind(any)
        .await
        .map_err(|error| error.to_string())?;
    socket
        .connect(server)
        .await
        .map_err(|error| error.to_string())?;
    let id: [u8; 12] = random::bytes();
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend_from_slice(&id);
    for _ in 0..TRIES {
        if socket.send(&request).await.is_err() {
            continue;
        }
        let mut answer = [0; 1_500];
        if let Ok(Ok(length)) = tokio::time::timeout(ANSWER, socket.recv(&mut answer)).await
            && let Some(seen) = mapped(&answer[..length], &id)
        {
            return Ok(seen);
        }
    }
    Err("does not answer".to_owned())
}

/// The XOR-MAPPED-ADDRESS of a Binding success response.
fn mapped(answer: &[u8], id: &[u8; 12]) -> Option<IpAddr> {
    let (head, mut rest) = answer.split_at_checked(20)?;
    if head[..2] != [1, 1] || head[8..20] != id[..] {
        return None;
    }
    while let Some((attribute, after)) = rest.split_at_checked(4) {
        let kind = u16::from_be_bytes([attribute[0], attribute[1]]);
        let length = usize::from(u16::from_be_bytes([attribute[2], attribute[3]]));
        let value = after.get(..length)?;
        if kind == 0x0020 {
            let mask = &head[4..20];
            let masked = value.get(4..)?.iter().zip(mask).map(|(a, b)| a ^ b);
            let bytes: Vec<u8> = masked.collect();
            let v4 = <[u8; 4]>::try_from(bytes.as_slice()).map(IpAddr::from);
            let v6 = <[u8; 16]>::try_from(bytes.as_slice()).map(IpAddr::from);
            return v4.or(v6).ok();
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::admin::client::Door;

    use super::*;

    #[test]
    fn what_the_internet_does_not_reach_is_told_apart() {
        for local in [
            "10.0.0.1",
            "192.168.1.2",
            "172.16.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_global(local.parse().unwrap()), "{local}");
        }
        for global in ["8.8.8.8", "100.128.0.1", "2a00::1"] {
            assert!(is_global(global.parse().unwrap()), "{global}");
        }
    }

    #[test]
    fn the_address_in_an_answer_is_the_one_of_the_rfc_s_example() {
        // RFC 5769, section 2.2: 192.0.2.1, port 32853.
        let id = [
            0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
        ];
        let mut answer = vec![1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42];
        answer.extend_from_slice(&id);
        answer.extend_from_slice(&[0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        assert_eq!(mapped(&answer, &id), Some([192, 0, 2, 1].into()));
        for length in 0..answer.len() {
            assert_eq!(mapped(&answer[..length], &id), None, "{length}");
        }
        assert_eq!(mapped(&answer, &[0; 12]), None);
    }

    #[tokio::test]
    async fn a_private_address_behind_a_public_name_is_a_problem_with_a_way_out() {
        let mut config = Config {
            listen: ([0, 0, 0, 0], 8080).into(),
            data: "/nonexistent".into(),
            ..Config::default()
        };
        config.voice.listen = vec![[127, 0, 0, 1].into()];
        config.voice.ports = vec![0];
        let api = Api::new(Door::Here(config.data.clone()));
        let report = examine(&config, &api).await;
        assert!(!report.ok);
        let text = for_people(&report);
        assert!(text.contains("set [voice] public"), "{text}");
        assert!(text.contains("[voice] ports has a 0"), "{text}");
        config.voice.turn_urls = vec!["turn:127.0.0.1:1".to_owned()];
        let text = for_people(&examine(&config, &api).await);
        assert!(text.contains("turn_secret"), "{text}");
        assert!(text.contains("turn:127.0.0.1:1 does not answer"), "{text}");
    }
}
