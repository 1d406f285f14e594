using System.Net;
using System.Security.Cryptography;
using System.Text;
using Failover.ItemApi.Tests.Doors;
using Failover.LocalHost.Network;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Failover.ItemApi.Tests.Access;

/// <summary>An issuer of tokens, with its configuration and keys where OpenID says.</summary>
internal sealed class Issuer : IAsyncDisposable
{
    private readonly Door _door;
    private RSA _key = RSA.Create(2048);
    private int _number;
    private int _asked;

    public Issuer() => _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), HandleAsync);

    public string Address => $"http://127.0.0.1:{_door.Port}";

    /// <summary>How often keys were read.</summary>
    public int Reads { get; private set; }

    /// <summary>How often it was asked for anything.</summary>
    public int Asked => _asked;

    /// <summary>It answers nobody until this is cancelled.</summary>
    public CancellationToken Hangs { get; set; } = new(canceled: true);

    /// <summary>It answers that it cannot.</summary>
    public bool Fails { get; set; }

    /// <summary>Its list of keys is empty.</summary>
    public bool HasNone { get; set; }

    /// <summary>Where its configuration says that its keys are; null: where they are.</summary>
    public string? KeysAt { get; set; }

    public RsaSecurityKey Key => new(_key) { KeyId = $"k{_number}" };

    /// <summary>Waits until it has been asked as often.</summary>
    public async Task AskedAsync(int times)
    {
        while (_asked < times)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public Task OpenAsync(bool open) => _door.SetOpenAsync(open);

    /// <summary>Changes its key.</summary>
    public void Rotate()
    {
        _key = RSA.Create(2048);
        _number++;
    }

    /// <summary>A token; null for a claim leaves it out.</summary>
    public string Token(string? scope = "items:read items:write", string? issuer = "", string? audience = "items", TimeSpan? age = null, SigningCredentials? signing = null, (string, object)[]? more = null)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var claims = new Dictionary<string, object> { ["sub"] = "somebody" };
        if (scope is not null)
        {
            claims["scope"] = scope;
        }

        foreach (var (name, value) in more ?? [])
        {
            claims[name] = value;
        }

        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer?.Length == 0 ? Address : issuer,
            Audience = audience,
            Claims = claims,
            NotBefore = now - TimeSpan.FromHours(2),
            IssuedAt = now - TimeSpan.FromHours(2),
            Expires = now + TimeSpan.FromHours(1) - (age ?? TimeSpan.Zero),
            SigningCredentials = signing ?? new SigningCredentials(Key, "RS256"),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _door.DisposeAsync();
        _key.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        Interlocked.Increment(ref _asked);
        if (!Hangs.IsCancellationRequested)
        {
            var answers = new TaskCompletionSource();
            await using var hanging = Hangs.Register(answers.SetResult);
            await answers.Task;
        }

        if (Fails)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return;
        }

        if (context.Request.Path == "/.well-known/openid-configuration")
        {
            await context.Response.WriteAsync($$"""{"issuer":"{{Address}}","jwks_uri":"{{KeysAt ?? Address + "/keys"}}"}""");
            return;
        }

        Reads++;
        if (HasNone)
        {
            await context.Response.WriteAsync("""{"keys":[]}""");
            return;
        }

        var parameters = _key.ExportParameters(false);
        await context.Response.WriteAsync($$"""{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"k{{_number}}","n":"{{Base64UrlEncoder.Encode(parameters.Modulus)}}","e":"{{Base64UrlEncoder.Encode(parameters.Exponent)}}"}]}""");
    }
}

/// <summary>Who may call where no API Gateway stands before it: only who has a token that the issuer signed, for this API, with the scope for what he does.</summary>
public sealed class TokenTests(KestrelWorld world) : IClassFixture<KestrelWorld>, IAsyncLifetime
{
    private readonly Issuer _issuer = new();
    private HttpClient _api = null!;

    public async ValueTask InitializeAsync()
    {
        await _issuer.OpenAsync(true);
        _api = await world.StartAsync(1, ("AUTHORIZATION", "jwt"), ("JWT_ISSUER", _issuer.Address), ("JWT_AUDIENCE", "items"));
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_scope_allows_what_it_says_and_no_more()
    {
        var (reader, writer, both, list) = (_issuer.Token("items:read"), _issuer.Token("items:write other"), _issuer.Token(), _issuer.Token(null, more: [("scp", (string[])["items:read"])]));

        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("GET", reader)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("GET", list)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("DELETE", writer)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("DELETE", both)).Status);
        Assert.Equal((HttpStatusCode.Forbidden, "insufficient-scope"), await RefusalAsync("DELETE", reader));
        Assert.Equal((HttpStatusCode.Forbidden, "insufficient-scope"), await RefusalAsync("GET", writer));
        Assert.Equal((HttpStatusCode.Forbidden, "insufficient-scope"), await RefusalAsync("GET", _issuer.Token(null)));
        Assert.Equal((HttpStatusCode.Forbidden, "insufficient-scope"), await RefusalAsync("GET", _issuer.Token("xitems:read items:readx")));
        Assert.Equal(HttpStatusCode.OK, (await _api.AskAsync("GET", "/health/ready")).Status);
    }

    [Fact]
    public async Task The_description_tells_the_scopes_that_are_asked_for()
    {
        using var named = await world.StartAsync(1, ("AUTHORIZATION", "jwt"), ("JWT_ISSUER", _issuer.Address), ("JWT_AUDIENCE", "items"), ("READ_SCOPE", "shop/read"), ("WRITE_SCOPE", "shop/write"));
        var (asked, open) = (await named.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken), await world.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken));

        Assert.Contains("""{"bearer":["shop/write"]}""", asked, StringComparison.Ordinal);
        Assert.DoesNotContain("items:read", asked, StringComparison.Ordinal);
        Assert.DoesNotContain("""{"bearer":""", open, StringComparison.Ordinal);
        Assert.DoesNotContain("unauthenticated", open, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_other_token_is_nobodys()
    {
        using var stranger = RSA.Create(2048);
        var secret = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(new string('k', 64)));
        var good = _issuer.Token();
        var parts = good.Split('.');
        var none = Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""") + "." + parts[1] + ".";
        string?[] tokens =
        [
            null, "", "x", "a.b.c", good[..^5] + "AAAAA", parts[0] + "." + Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(parts[1]).Replace("somebody", "somebodx", StringComparison.Ordinal)) + "." + parts[2],
            none,
            _issuer.Token(issuer: "https://other.example"), _issuer.Token(issuer: null), _issuer.Token(audience: "other"), _issuer.Token(audience: null), _issuer.Token(age: TimeSpan.FromMinutes(62)),
            _issuer.Token(signing: new SigningCredentials(new RsaSecurityKey(stranger) { KeyId = "k0" }, "RS256")),
            _issuer.Token(signing: new SigningCredentials(secret, "HS256")),
            _issuer.Token(audience: null, more: [("client_id", "other")]),
        ];
        foreach (var token in tokens)
        {
            Assert.Equal((HttpStatusCode.Unauthorized, "unauthenticated"), await RefusalAsync("GET", token));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await _api.AskAsync("GET", "/items/x", null, ("Authorization", "Basic " + good))).Status);
        // Of a token without an audience, the client that it was given to.
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("GET", _issuer.Token(audience: null, more: [("client_id", "items")]))).Status);
        Assert.DoesNotContain(world.Lines, line => line.Contains(parts[1], StringComparison.Ordinal) || line.Contains("somebody", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_the_issuers_keys_nobody_is_let_in()
    {
        await _issuer.OpenAsync(false);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), await RefusalAsync("GET", _issuer.Token(issuer: "http://x")));
    }

    [Fact]
    public async Task Keys_are_read_once_outlive_their_issuer_and_are_not_read_again_for_a_stranger()
    {
        using var stranger = RSA.Create(2048);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("GET", _issuer.Token())).Status);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("GET", _issuer.Token(signing: new SigningCredentials(new RsaSecurityKey(stranger) { KeyId = $"s{i}" }, "RS256")))).Status);
        }

        await _issuer.OpenAsync(false);

        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("GET", _issuer.Token())).Status);
        Assert.Equal(1, _issuer.Reads);
    }

    [Fact]
    public async Task The_same_key_of_two_callers_is_two_keys()
    {
        var path = "/items";
        var one = await _api.AskAsync("POST", path, """{"n":1}""", ("Authorization", "Bearer " + _issuer.Token()), ("Idempotency-Key", "shared"));
        var other = await _api.AskAsync("POST", path, """{"n":2}""", ("Authorization", "Bearer " + _issuer.Token(more: [("sub", "other")])), ("Idempotency-Key", "shared"));

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (one.Status, other.Status));
        Assert.NotEqual(one.Headers["Location"], other.Headers["Location"]);
    }

    private async Task<(HttpStatusCode, string?)> RefusalAsync(string method, string? token) => await AskAsync(method, token) is var answer ? (answer.Status, answer.Problem) : default;

    private Task<Answered> AskAsync(string method, string? token) => _api.AskAsync(method, "/items/absent", null, ("Authorization", token is null ? null : "Bearer " + token));
}
