"""Real networks of hosters and access providers, so that an offline database can name their owners.

They are picked for being large and in many countries. No real mail or misuse from them is described.
"""

from __future__ import annotations

from collections.abc import Mapping

BOT_NETWORKS: Mapping[str, tuple[str, ...]] = {
    "ovhcloud.com": ("51.222.16.0/20", "54.39.128.0/20"),
    "digitalocean.com": ("104.131.0.0/18", "137.184.0.0/18"),
    "contabo.com": ("161.97.64.0/19", "173.249.0.0/19"),
    "colocrossing.com": ("107.172.192.0/19", "104.168.32.0/20"),
    "leaseweb.com": ("85.17.64.0/19",),
    "vnpt.vn": ("14.176.0.0/14",),
    "viettel.com.vn": ("115.72.0.0/14",),
    "claro.com.co": ("190.85.0.0/17",),
    "ptcl.com.pk": ("39.40.0.0/14",),
    "telin.net": ("36.80.0.0/14",),
    "telefonica.com.br": ("177.168.0.0/14",),
    "bsnl.co.in": ("117.192.0.0/13",),
    "mtnonline.com": ("102.92.0.0/15",),
    "turktelekom.com.tr": ("85.104.0.0/16",),
    "telmex.com": ("189.224.0.0/14",),
    "orange.pl": ("83.16.0.0/14",),
}

DRIP_NETWORKS: Mapping[str, tuple[str, ...]] = {
    "linode.com": ("45.33.0.0/18", "139.162.0.0/19"),
    "scaleway.com": ("163.172.0.0/19", "195.154.128.0/18"),
    "ionos.com": ("74.208.0.0/18",),
    "aruba.it": ("80.211.0.0/18",),
    "rt.ru": ("178.64.0.0/14",),
    "telecom.com.ar": ("181.164.0.0/15",),
    "tm.com.my": ("175.136.0.0/14",),
    "pldt.com": ("112.200.0.0/15",),
    "telkom.co.za": ("105.184.0.0/15",),
    "kyivstar.ua": ("46.118.0.0/16",),
    "chinatelecom.com.cn": ("116.224.0.0/13",),
    "godaddy.com": ("107.180.0.0/19",),
}
