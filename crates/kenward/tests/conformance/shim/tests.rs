//! The shim adds one line and changes nothing else.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Shim;

const SOON: Duration = Duration::from_secs(5);

/// A client, the shim, and the server's side of the same connection.
async fn connected() -> (TcpStream, Shim, TcpStream) {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let door = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = door.local_addr().expect("an address");
    let shim = Shim::start(door, server.local_addr().expect("an address"), "the-token");
    let client = TcpStream::connect(address).await.expect("a connection");
    let (accepted, _) = server.accept().await.expect("a connection");
    (client, shim, accepted)
}

async fn expect(socket: &mut TcpStream, text: &str) {
    let mut read = vec![0; text.len()];
    let reading = socket.read_exact(&mut read);
    tokio::time::timeout(SOON, reading).await.expect("bytes in time").expect("bytes");
    assert_eq!(String::from_utf8_lossy(&read), text);
}

async fn expect_end(socket: &mut TcpStream) {
    let mut rest = Vec::new();
    let reading = socket.read_to_end(&mut rest);
    let _reset = tokio::time::timeout(SOON, reading).await.expect("an end in time");
    assert_eq!(String::from_utf8_lossy(&rest), "");
}

#[tokio::test]
async fn requests_pass_byte_for_byte_with_one_line_more() {
    let (mut client, _shim, mut server) = connected().await;
    let rest = "hOST: evil.example.com\r\nOrigin:   null \r\nX-Empty:\r\nContent-Length: 4\r\n\r\n";
    for body in ["\r\n\r\n", "GET "] {
        let request = format!("POST /mcp HTTP/1.1\r\n{rest}{body}");
        // In two pieces, so that the head has to be waited for.
        let (first, second) = request.split_at(30);
        client.write_all(first.as_bytes()).await.expect("writing");
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.write_all(second.as_bytes()).await.expect("writing");
        let line = "Authorization: Bearer the-token\r\n";
        expect(&mut server, &format!("POST /mcp HTTP/1.1\r\n{line}{rest}{body}")).await;
        // A stream comes as it is written, long before its end.
        for piece in ["HTTP/1.1 200 OK\r\n\r\n", ": one\n\n", "data: two\n\n"] {
            server.write_all(piece.as_bytes()).await.expect("writing");
            expect(&mut client, piece).await;
        }
    }
}

#[tokio::test]
async fn the_end_of_one_side_is_the_end_of_the_other() {
    let (client, _shim, mut server) = connected().await;
    drop(client);
    expect_end(&mut server).await;
    let (mut client, _shim, server) = connected().await;
    drop(server);
    expect_end(&mut client).await;
}
