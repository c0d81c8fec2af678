//! What stands before replicas: Debian's nginx, which gives each request to the next of them, and to the other one if
//! that does not answer.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use super::process::{Process, command, free_port};

pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    _process: Process,
}

impl Nginx {
    /// Starts it before these replicas.
    pub(crate) fn before(replicas: &[SocketAddr]) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let process = Process::start("nginx", |folder| {
            let servers = replicas.iter().fold(String::new(), |mut text, replica| {
                // However often one failed, it is asked again: it may be back.
                write!(text, "server {replica} max_fails=0; ").expect("a string takes everything");
                text
            });
            let folder = folder.display();
            // One process, so that nothing is left when it is killed.
            let text = format!(
                "daemon off; master_process off; pid {folder}/pid; error_log stderr;\n\
                 events {{ worker_connections 4096; }}\n\
                 http {{\n\
                   access_log off;\n\
                   client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n\
                   uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n\
                   upstream fleet {{ {servers}keepalive 32; }}\n\
                   server {{\n\
                     listen {address};\n\
                     location / {{\n\
                       proxy_pass http://fleet; proxy_http_version 1.1;\n\
                       proxy_set_header Connection \"\"; proxy_set_header Host $http_host;\n\
                       proxy_buffering off; proxy_connect_timeout 1s; proxy_read_timeout 30s;\n\
                     }}\n\
                   }}\n\
                 }}\n"
            );
            let config = format!("{folder}/nginx.conf");
            fs::write(&config, text).expect("the folder is writable");
            command("nginx", ["-e", "stderr", "-p", &folder.to_string(), "-c", &config])
        });
        let process = process.ready(|_| TcpStream::connect(address).is_ok());
        Self { address, _process: process }
    }
}
