//! The mock device of oxvif behind its login (`admin`, `admin`): prints its port, answers until it is ended.

use oxvif::mock::MockServer;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let server = MockServer::builder().enforce_auth(true).start().await?;
    println!("{}", server.port());
    std::future::pending::<()>().await;
    server.shutdown().await
}
