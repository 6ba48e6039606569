//! A proxy that opens tunnels, for `CONNECT` (RFC 9110, section 9.3.6) and SOCKS 5 (RFC 1928). For every host, it
//! connects to its one server: tests may use hosts that do not exist, and prove that the proxy looks up the name.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The proxy's answer to a request for a tunnel.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// A tunnel.
    Open,
    /// A tunnel for this `Proxy-Authorization`, and status 407 for any other.
    OpenFor(&'static str),
    /// This status.
    Refuse(u16),
    /// A tunnel by SOCKS 5.
    Socks,
}

/// A running proxy.
pub(crate) struct TunnelProxy {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    acceptor: Option<JoinHandle<()>>,
    stop: Arc<Mutex<bool>>,
}

impl TunnelProxy {
    /// A proxy whose tunnels all end at `server`.
    pub(crate) fn start(server: SocketAddr, answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
        let acceptor = {
            let (asked, stop) = (asked.clone(), stop.clone());
            thread::spawn(move || {
                for client in listener.incoming() {
                    if *stop.lock().unwrap() {
                        break;
                    }
                    let (client, asked) = (client.unwrap(), asked.clone());
                    // Ends with its connection: the client under test closes all of its own.
                    thread::spawn(move || serve(client, server, answer, &asked));
                }
            })
        };
        Self { addr, asked, acceptor: Some(acceptor), stop }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The requests, in order: `CONNECT api.test:443`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for TunnelProxy {
    fn drop(&mut self) {
        *self.stop.lock().unwrap() = true;
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn serve(mut client: TcpStream, server: SocketAddr, answer: Answer, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(20)))?;
    if matches!(answer, Answer::Socks) {
        let target = socks(&mut client)?;
        asked.lock().unwrap().push(target);
    } else {
        let head = read_head(&mut client)?;
        let line = head.lines().next().unwrap_or_default();
        let status = match answer {
            Answer::Refuse(status) => status,
            Answer::OpenFor(credentials) => {
                let wanted = format!("proxy-authorization: {credentials}").to_lowercase();
                if head.lines().any(|line| line.to_lowercase() == wanted) { 200 } else { 407 }
            }
            _ => 200,
        };
        asked.lock().unwrap().push(line.trim_end_matches(" HTTP/1.1").to_owned());
        client.write_all(format!("HTTP/1.1 {status} Status\r\n\r\n").as_bytes())?;
        if status != 200 {
            return client.shutdown(Shutdown::Write);
        }
    }
    let server = TcpStream::connect(server)?;
    let (mut up, mut down) = ((client.try_clone()?, server.try_clone()?), (server, client));
    let upward = thread::spawn(move || {
        let _ = io::copy(&mut up.0, &mut up.1);
        let _ = up.1.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut down.0, &mut down.1);
    // Only for writing: a reset would answer what the client still sends, and lose the end of the response.
    let _ = down.1.shutdown(Shutdown::Write);
    let _ = upward.join();
    Ok(())
}

fn read_head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// No authentication, and a host given by name.
fn socks(client: &mut TcpStream) -> io::Result<String> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting)?;
    let mut methods = vec![0; greeting[1].into()];
    client.read_exact(&mut methods)?;
    client.write_all(&[5, 0])?;
    let mut request = [0; 5];
    client.read_exact(&mut request)?;
    let mut name = vec![0; request[4].into()];
    client.read_exact(&mut name)?;
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    Ok(format!("SOCKS {}:{}", String::from_utf8_lossy(&name), u16::from_be_bytes(port)))
}
