//! The files of the demo: whole, for any ports, and in step with what the service knows.

use super::{Ports, configuration, people, write};

const CUSTOMERS: &str = include_str!("../deliveries/customers.csv");
const ORDERS: &str = include_str!("../deliveries/orders.csv");
const DIRECTORY: &str = include_str!("../../assets/directory.yaml");

#[test]
fn the_files_are_written_for_their_ports() {
    let folder = tempfile::tempdir().unwrap();
    // Ports that are each other's defaults, to see that none is replaced twice.
    let ports = Ports { gateway: 9090, admin: 8080, authority: 8091, deliveries: 8090 };
    let path = write(&folder.path().join("demo"), ports).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, configuration(ports));
    for line in [
        "\nlisten: 127.0.0.1:9090\n",
        "\npublic_url: http://127.0.0.1:9090\n",
        "\n  listen: 127.0.0.1:8080\n",
        "issuer: http://127.0.0.1:8091 ",
        "\n    url: http://127.0.0.1:8090/mcp\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    for name in ["directory.yaml", "inferences.yaml", "policies/knowledge.cedar"] {
        assert!(path.parent().unwrap().join(name).is_file(), "{name}");
    }
}

#[test]
fn the_files_as_they_are_name_the_usual_ports() {
    assert_eq!(configuration(Ports::default()), super::CONFIGURATION);
}

#[test]
fn the_directory_knows_every_customer_by_every_name() {
    for line in CUSTOMERS.lines().skip(1) {
        let mut cells = line.split(',');
        let (id, names) = (cells.next().unwrap(), cells.take(4).collect::<Vec<_>>());
        let entity = DIRECTORY
            .split("- type: Customer\n")
            .find(|entity| entity.contains(&format!("  id: \"{id}\"\n")));
        let entity = entity.unwrap_or_else(|| panic!("customer {id} is not in the directory"));
        let aliases: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        assert!(entity.contains(&format!("aliases: [{}]", aliases.join(", "))), "{entity}");
    }
}

#[test]
fn the_directory_knows_whose_every_order_is() {
    for line in ORDERS.lines().skip(1) {
        let mut cells = line.split(',');
        let (order, customer) = (cells.next().unwrap(), cells.next().unwrap());
        let entity = format!(
            "id: {order}, attributes: {{ customer: {{ __entity: {{ type: Customer, id: \"{customer}\" }}"
        );
        assert!(DIRECTORY.contains(&entity), "{order}");
    }
}

#[test]
fn the_directory_knows_everybody_but_rita() {
    for person in people() {
        let known = DIRECTORY.contains(&format!("type: User, id: {},", person.id))
            || DIRECTORY.contains(&format!("type: User, id: {} }}\n", person.id))
            || DIRECTORY.contains(&format!("- type: User\n  id: {}\n", person.id))
            || DIRECTORY.contains(&format!("- {{ type: User, id: {} }}", person.id));
        assert_eq!(known, person.id != "rita", "{}: an administrator makes Rita", person.id);
    }
}
