//! The profiles in the tree: all are sound, all are proven.

use roundsman_profile::catalogue::Catalogue;
use roundsman_profile::proof;

#[test]
fn every_embedded_profile_is_proven() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
    assert!(catalogue.list().len() >= 2);
    for item in catalogue.list() {
        let proof = proof::prove(item).unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
        assert!(proof.fixtures > 0, "{} has no fixture", item.profile.id);
        assert!(proof.metrics > 0 && proof.rules > 0, "{} proves nothing", item.profile.id);
    }
}

#[test]
fn the_longest_prefix_wins() {
    let catalogue = Catalogue::embedded().unwrap();
    for (oid, id) in [
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 10][..], "linux-net-snmp"),
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 10, 1], "linux-net-snmp"),
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 1], "snmp-generic"),
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 100], "snmp-generic"),
        (&[1, 3, 6, 1, 4, 1, 2011, 2, 23, 276], "huawei-vrp"),
        (&[1, 3, 6, 1, 4, 1, 25506, 1, 921], "h3c-comware"),
        (&[1, 3, 6, 1, 4, 1, 705, 1], "ups-mib"),
        (&[1, 3, 6, 1, 4, 1, 705, 10], "snmp-generic"),
        (&[1, 3, 6, 1, 4, 1, 11, 2, 3, 9, 1], "printer-mib"),
        (&[1, 3, 6, 1, 4, 1, 11, 2, 3, 7, 11], "snmp-generic"),
        (&[], "snmp-generic"),
    ] {
        assert_eq!(&*catalogue.resolve_auto(oid).unwrap().id, id);
    }
}
