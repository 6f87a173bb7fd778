"""What the comparison asks of mitmproxy: put one header on every request."""


def request(flow):
    flow.request.headers["Authorization"] = "Bearer the-real-secret-of-usual-length"
