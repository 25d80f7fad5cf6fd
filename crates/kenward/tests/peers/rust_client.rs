//! The client of the Rust SDK, in both eras.

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Upstream};
use rmcp::ServiceExt;
use rmcp::model::{
    CallToolRequestParams, ErrorCode, GetPromptRequestParams, ProtocolVersion,
    ReadResourceRequestParams,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, RoleClient, RunningService, ServiceError,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::json;

use crate::KENWARD;

#[tokio::test]
async fn the_rust_sdk_in_both_eras() {
    let issuer = Issuer::start().await;
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(KENWARD, Deployment::deliveries(&issuer, &upstream)).await;
    for era in Era::BOTH {
        upstream.forget();
        let client = connect(&gateway, &issuer, era).await;
        let tools = client.list_all_tools().await.expect("a list");
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert!(names.contains(&"track_parcel") && !names.contains(&"purge_records"), "{names:?}");

        let done = client
            .call_tool(call("track_parcel", &json!({ "parcel": "p-1" })))
            .await
            .expect("a result");
        assert_ne!(done.is_error, Some(true), "{done:?}");
        let near = json!({ "near": "Taylor Swift's home" });
        let refused =
            client.call_tool(call("get_dropoff_locations", &near)).await.expect("a result");
        assert_eq!(refused.is_error, Some(true), "{refused:?}");
        let hidden = client.call_tool(call("purge_records", &json!({}))).await;
        assert!(is_invalid_params(&hidden), "{hidden:?}");

        let prompt =
            client.get_prompt(GetPromptRequestParams::new("greeting")).await.expect("a prompt");
        assert_eq!(prompt.messages.len(), 1);
        assert!(client.get_prompt(GetPromptRequestParams::new("secret_plan")).await.is_err());
        let read = client.read_resource(ReadResourceRequestParams::new("doc://public")).await;
        assert_eq!(read.expect("a document").contents.len(), 1);
        assert!(
            client.read_resource(ReadResourceRequestParams::new("doc://secret")).await.is_err()
        );

        let call = upstream.calls("track_parcel").remove(0);
        assert_eq!(call.is_modern(), era == Era::Modern, "{era:?}");
        assert!(upstream.calls("get_dropoff_locations").is_empty(), "{era:?}");
        client.cancel().await.expect("an orderly end");
    }
}

async fn connect(gateway: &Gateway, issuer: &Issuer, era: Era) -> RunningService<RoleClient, ()> {
    let url = gateway.deployment().audience("deliveries");
    let token = gateway.token(issuer, "rita", "deliveries");
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let connected = match era {
        Era::Legacy => ().serve(transport).await,
        Era::Modern => {
            let lifecycle = ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            };
            ().serve_with_lifecycle(transport, lifecycle).await
        }
    };
    connected.expect("a connection")
}

fn call(tool: &'static str, arguments: &serde_json::Value) -> CallToolRequestParams {
    let arguments = arguments.as_object().expect("an object").clone();
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

fn is_invalid_params<T>(outcome: &Result<T, ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::McpError(error)) if error.code == ErrorCode::INVALID_PARAMS)
}
