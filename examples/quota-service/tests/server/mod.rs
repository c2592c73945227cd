//! A Redis of the test's own.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// It is stopped when it is dropped.
pub(crate) struct Redis {
    process: Child,
    port: u16,
    folder: PathBuf,
}

// === impl Redis ===

impl Redis {
    /// Starts one, and waits until it answers.
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let folder = std::env::temp_dir().join(format!("quota-service-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut redis = Command::new("redis-server");
        redis.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]).arg(&folder);
        let process = redis.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.expect("redis-server is not here: `cargo xtask test` installs it, or `apt-get install redis-server`");
        let redis = Self { process, port, folder };
        for _ in 0..500 {
            let answers = redis::Client::open(redis.url()).and_then(|client| client.get_connection_with_timeout(Duration::from_millis(100)));
            if answers.is_ok() {
                return redis;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("redis-server does not answer");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// How many keys there are.
    #[allow(dead_code, reason = "of one of the tests")]
    pub(crate) async fn keys(&self) -> u64 {
        let mut connection = redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
