"""Hosters, clouds and access providers: their networks and their naming of rented machines never name a sender.

Whoever rents a server or a line gets an address in these networks and, unless they ask for another, a reverse
name of these forms. Both say where a sender is, not who it is. The lists are not complete: what is missing is
merely not known here.
"""

from __future__ import annotations

from typing import NamedTuple


class Host(NamedTuple):
    """An operator whose customers, not itself, are behind an address; `kind` is cloud, hoster or access."""

    name: str
    kind: str


# Name, kind, numbers of its autonomous systems, and suffixes of the reverse names that rented machines come with.
_HOSTS: tuple[tuple[str, str, tuple[int, ...], str], ...] = (
    ("Amazon Web Services", "cloud", (16509, 14618), "compute.amazonaws.com compute-1.amazonaws.com amazonaws.com.cn"),
    ("Google Cloud", "cloud", (15169, 396982), "googleusercontent.com"),
    ("Microsoft Azure", "cloud", (8075,), "cloudapp.azure.com cloudapp.net"),
    ("Oracle Cloud", "cloud", (31898,), ""),
    ("IBM Cloud", "cloud", (36351,), "softlayer.com networklayer.com"),
    ("Alibaba Cloud", "cloud", (45102, 37963), ""),
    ("Tencent Cloud", "cloud", (132203, 45090), ""),
    ("Huawei Cloud", "cloud", (136907, 55990), "compute.hwclouds-dns.com"),
    ("Yandex Cloud", "cloud", (200350,), "yandexcloud.net"),
    ("DigitalOcean", "cloud", (14061,), ""),
    ("Akamai (Linode)", "cloud", (63949,), "linodeusercontent.com members.linode.com"),
    ("Vultr", "cloud", (20473,), "vultrusercontent.com vultr.com choopa.net"),
    ("Scaleway", "cloud", (12876,), "scw.cloud poneytelecom.eu"),
    ("UpCloud", "cloud", (202053,), "upcloud.host"),
    ("Cloudflare", "cloud", (13335,), ""),
    ("Fastly", "cloud", (54113,), ""),
    ("Hetzner", "hoster", (24940, 213230, 212317), "clients.your-server.de"),
    ("OVHcloud", "hoster", (16276,), "vps.ovh.net vps.ovh.ca vps.ovh.us"),
    ("Contabo", "hoster", (51167, 40021), "contaboserver.net"),
    ("IONOS", "hoster", (8560,), "pbiaas.com onlinehome-server.info onlinehome-server.com"),
    ("STRATO", "hoster", (6724,), "stratoserver.net"),
    ("GoDaddy", "hoster", (26496, 398101), "ip.secureserver.net host.secureserver.net"),
    ("Host Europe", "hoster", (8972, 20773, 21499, 44273), "dedicatedpanel.com"),
    ("Infomaniak", "hoster", (29222,), ""),
    ("Gandi", "hoster", (29169, 203476, 209453), ""),
    ("Hostinger", "hoster", (47583,), "hstgr.cloud"),
    ("netcup", "hoster", (197540,), "ultrasrv.de happysrv.de bestsrv.de quicksrv.de hotsrv.de nicesrv.de luckysrv.de"),
    ("Leaseweb", "hoster", (60781, 28753, 30633, 7203), ""),
    ("Newfold Digital", "hoster", (46606, 29873), ""),
    ("Namecheap", "hoster", (22612,), "web-hosting.com"),
    ("BuyVM", "hoster", (53667,), ""),
    ("M247", "hoster", (9009,), ""),
    ("ALL-INKL.COM", "hoster", (34788,), ""),
    ("one.com", "hoster", (51468,), ""),
    ("A2 Hosting", "hoster", (55293,), ""),
    ("DreamHost", "hoster", (26347,), "dreamhostps.com"),
    ("Rackspace", "hoster", (27357, 33070, 19994, 15395, 12200), ""),
    ("Liquid Web", "hoster", (32244,), ""),
    ("HostPapa and ColoCrossing", "hoster", (36352,), "colocrossing.com"),
    ("Datacamp", "hoster", (60068, 212238), ""),
    ("Clouvider", "hoster", (62240,), ""),
    ("Interserver", "hoster", (19318,), ""),
    ("Limestone Networks", "hoster", (46475,), "lstn.net"),
    ("Hivelocity", "hoster", (29802,), "hvvc.us"),
    ("WorldStream", "hoster", (49981,), ""),
    ("Heinlein Support", "hoster", (199118,), ""),
    ("Deutsche Telekom", "access", (3320,), "t-ipconnect.de"),
    ("Comcast", "access", (7922,), "comcastbusiness.net"),
    ("Charter Spectrum", "access", (20115, 7843, 11427, 10796), "res.spectrum.com biz.spectrum.com"),
    ("Verizon", "access", (701,), "fios.verizon.net"),
    ("AT&T", "access", (7018,), ""),
    ("BT", "access", (2856,), "in-addr.btopenworld.com range.btcentralplus.com"),
    ("Virgin Media", "access", (5089,), "cable.virginm.net"),
    ("Orange", "access", (3215,), "abo.wanadoo.fr"),
    ("Free", "access", (12322,), "proxad.net"),
    ("Vodafone Germany", "access", (3209,), "pools.vodafone-ip.de"),
    ("Telefonica Spain", "access", (3352,), "rima-tde.net"),
    ("Telecom Italia", "access", (3269,), "business.telecomitalia.it retail.telecomitalia.it"),
    ("KPN", "access", (1136,), "fixed.kpn.net"),
    ("Telia", "access", (3301,), "customers.telia.com"),
    ("Telenor", "access", (2119,), ""),
    ("Swisscom", "access", (3303,), ""),
    ("A1 Telekom Austria", "access", (8447,), "highway.telekom.at"),
)

_BY_ASN = {asn: Host(name, kind) for name, kind, numbers, _ in _HOSTS for asn in numbers}
_BY_SUFFIX = {suffix: Host(name, kind) for name, kind, _, suffixes in _HOSTS for suffix in suffixes.split()}


def host_by_asn(asn: int | None) -> Host | None:
    """The operator that lets others send from this autonomous system, where it is listed."""
    return _BY_ASN.get(asn) if asn is not None else None


def host_by_ptr(name: str) -> Host | None:
    """The operator that names rented machines and lines so, where it is listed."""
    rest = name.lower().rstrip(".") if len(name) <= 255 else ""
    while rest:
        host = _BY_SUFFIX.get(rest)
        if host is not None:
            return host
        rest = rest.partition(".")[2]
    return None
