"""What the console's host answers when it is not also a tenant's: everything but the protocol."""

from config import protocol_urls, urls

urlpatterns = [pattern for pattern in urls.urlpatterns if pattern not in protocol_urls.urlpatterns]

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
