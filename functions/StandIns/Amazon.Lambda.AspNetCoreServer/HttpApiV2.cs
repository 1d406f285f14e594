using System.Net;
using System.Security.Claims;
using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Amazon.Lambda.AspNetCoreServer.Internal;

/// <summary>An HTTP API event as an ASP.NET Core request, and the answer as an HTTP API response.</summary>
internal static class HttpApiV2
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static FeatureCollection ToFeatures(APIGatewayHttpApiV2ProxyRequest request, ILambdaContext context)
    {
        var http = request.RequestContext.Http;
        var body = request.Body is not { Length: > 0 } text ? []
            : request.IsBase64Encoded ? Convert.FromBase64String(text) : Encoding.UTF8.GetBytes(text);
        var query = string.IsNullOrEmpty(request.RawQueryString) ? "" : "?" + request.RawQueryString;
        var (pathBase, path) = StripStage(http.Path, request.RequestContext.Stage);
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = http.Method,
            Scheme = "https",
            Protocol = string.IsNullOrEmpty(http.Protocol) ? "HTTP/1.1" : http.Protocol,
            PathBase = pathBase,
            Path = path,
            QueryString = query,
            RawTarget = request.RawPath + query,
            Headers = Headers(request, body.Length),
            Body = new MemoryStream(body, writable: false),
        });
        features.Set<IHttpRequestBodyDetectionFeature>(new BodyDetection(body.Length > 0));
        var response = new Response();
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(new ResponseBody(response));
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature
        {
            RemoteIpAddress = IPAddress.TryParse(http.SourceIp, out var address) ? address : null,
        });
        features.Set<IHttpRequestIdentifierFeature>(new HttpRequestIdentifierFeature { TraceIdentifier = context.TraceId });
        features.Set<IItemsFeature>(new ItemsFeature
        {
            Items = { ["LambdaContext"] = context, ["LambdaRequestObject"] = request },
        });
        if (request.RequestContext.Authorizer?.Jwt?.Claims is { } claims)
        {
            features.Set<IHttpAuthenticationFeature>(new HttpAuthenticationFeature
            {
                User = new ClaimsPrincipal(new ClaimsIdentity(claims.Select(claim => new Claim(claim.Key, claim.Value)), "AuthorizerIdentity")),
            });
        }

        return features;
    }

    /// <summary>What was written, and flushed: what is left in the body's pipe is lost, as in the official package.</summary>
    public static APIGatewayHttpApiV2ProxyResponse ToResponse(FeatureCollection features)
    {
        var body = (MemoryStream)features.GetRequiredFeature<IHttpResponseBodyFeature>().Stream;
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in response.Headers)
        {
            if (!name.Equals(HeaderNames.SetCookie, StringComparison.OrdinalIgnoreCase) && values.Count > 0)
            {
                headers[name] = string.Join(",", values.ToArray());
            }
        }

        var isText = TryDecode(body, response.Headers.ContentEncoding, out var text);
        return new APIGatewayHttpApiV2ProxyResponse
        {
            StatusCode = response.StatusCode == 0 ? StatusCodes.Status200OK : response.StatusCode,
            Headers = headers,
            Cookies = response.Headers.SetCookie is { Count: > 0 } cookies ? [.. cookies.OfType<string>()] : null,
            Body = isText ? text : Convert.ToBase64String(body.ToArray()),
            IsBase64Encoded = !isText,
        };
    }

    private static bool TryDecode(MemoryStream body, StringValues contentEncoding, out string text)
    {
        text = "";
        if (contentEncoding.Count > 0)
        {
            return false;
        }

        try
        {
            text = StrictUtf8.GetString(body.GetBuffer(), 0, (int)body.Length);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>A stage is a whole first segment. API Gateway has decoded the path already: decoding it again would make two paths one.</summary>
    private static (string PathBase, string Path) StripStage(string rawPath, string? stage)
    {
        var path = rawPath.StartsWith('/') ? rawPath : "/" + rawPath;
        var prefix = "/" + stage;
        if (string.IsNullOrEmpty(stage) || stage == "$default" || !path.StartsWith(prefix, StringComparison.Ordinal))
        {
            return ("", path);
        }

        return path.Length == prefix.Length ? (prefix, "/") : path[prefix.Length] == '/' ? (prefix, path[prefix.Length..]) : ("", path);
    }

    private static HeaderDictionary Headers(APIGatewayHttpApiV2ProxyRequest request, int bodyLength)
    {
        var headers = new HeaderDictionary();
        foreach (var (name, value) in request.Headers ?? new Dictionary<string, string>())
        {
            headers[name] = value;
        }

        if (request.Cookies is { Length: > 0 } cookies)
        {
            headers[HeaderNames.Cookie] = string.Join("; ", cookies);
        }

        if (headers[HeaderNames.Host].Count == 0)
        {
            headers[HeaderNames.Host] = request.RequestContext.DomainName;
        }

        headers.ContentLength ??= bodyLength;
        return headers;
    }

    private sealed class Response : HttpResponseFeature
    {
        public bool IsStarted { get; set; }

        public override bool HasStarted => IsStarted;
    }

    private sealed class ResponseBody(Response response) : StreamResponseBodyFeature(new MemoryStream())
    {
        public override Task StartAsync(CancellationToken cancellationToken = default)
        {
            response.IsStarted = true;
            return base.StartAsync(cancellationToken);
        }
    }

    private sealed record BodyDetection(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;
}
