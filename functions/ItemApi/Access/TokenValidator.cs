using System.Text.Json;
using Failover.ItemApi.Answers;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Failover.ItemApi.Access;

/// <summary>
/// Verifies bearer tokens where no API Gateway stands before this process: signature, issuer, audience and time, by the issuer's published keys. Only asymmetric signatures: a key that is published signs nothing else.
/// </summary>
/// <param name="jwksUrl">Where the keys are; null: where the issuer's OpenID configuration says.</param>
internal sealed class TokenValidator(string issuer, string audience, Uri? jwksUrl, TimeProvider time, ILogger logger) : IDisposable
{
    private const int DocumentBytesMax = 256 * 1024;
    private const int AttemptsMax = 2;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);

    /// <summary>How soon keys are read again because a token names one that is not known: issuers change keys, and anybody can name one.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Deadline, MaxResponseContentBufferSize = DocumentBytesMax };
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly SemaphoreSlim _turn = new(1);
    private (long Timestamp, IList<SecurityKey> Keys)? _keys;
    private long? _asked;

    /// <summary>The caller of an Authorization header; null where it has no token that is valid here.</summary>
    /// <exception cref="ProblemException">The keys cannot be had.</exception>
    public async Task<Caller?> ValidateAsync(string? authorization, CancellationToken cancellationToken)
    {
        const string Scheme = "Bearer ";
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var token = authorization[Scheme.Length..].Trim();
        var result = await ValidateAsync(token, await KeysAsync(Fresh, cancellationToken));
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException)
        {
            result = await ValidateAsync(token, await KeysAsync(Pause, cancellationToken));
        }

        return result.IsValid ? Caller.Of(result.ClaimsIdentity.Claims) : null;
    }

    public void Dispose() => _http.Dispose();

    private Task<TokenValidationResult> ValidateAsync(string token, IList<SecurityKey> keys) => _handler.ValidateTokenAsync(token, new TokenValidationParameters
    {
        ValidIssuer = issuer,
        AudienceValidator = HasAudience,
        IssuerSigningKeys = keys,
        ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
        RequireSignedTokens = true,
        LifetimeValidator = IsInTime,
    });

    /// <summary>A token without an end has none that is in time.</summary>
    private bool IsInTime(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters) =>
        time.GetUtcNow().UtcDateTime is var now && expires > now - ClockSkew && !(notBefore > now + ClockSkew);

    /// <summary>As API Gateway's authorizer: the audience, or where a token has none the client that it was given to.</summary>
    private bool HasAudience(IEnumerable<string> audiences, SecurityToken token, TokenValidationParameters parameters) =>
        audiences.Any() ? audiences.Contains(audience) : token is JsonWebToken json && json.TryGetClaim("client_id", out var client) && client.Value == audience;

    /// <summary>The issuer's keys, read at most this long ago, or as they were where it does not answer.</summary>
    private async Task<IList<SecurityKey>> KeysAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        if (_keys is { } known && time.GetElapsedTime(known.Timestamp) < age)
        {
            return known.Keys;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_asked is not { } asked || time.GetElapsedTime(asked) >= (_keys is null ? TimeSpan.FromSeconds(1) : Pause))
            {
                _asked = time.GetTimestamp();
                _keys = (time.GetTimestamp(), await ReadAsync(cancellationToken));
            }
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.KeysNotRead(logger, error);
        }
        finally
        {
            _turn.Release();
        }

        return _keys?.Keys ?? throw new ProblemException(ProblemKind.Unavailable, "The token issuer's keys cannot be had. Nothing was done.");
    }

    private async Task<IList<SecurityKey>> ReadAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var address = jwksUrl ?? await DiscoverAsync(cancellationToken);
                return new JsonWebKeySet(await _http.GetStringAsync(address, cancellationToken)).GetSigningKeys();
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException && attempt < AttemptsMax && !cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 250)), time, cancellationToken);
            }
        }
    }

    private async Task<Uri> DiscoverAsync(CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(await _http.GetStringAsync(new Uri(issuer.TrimEnd('/') + "/.well-known/openid-configuration"), cancellationToken));
        return new Uri(document.RootElement.GetProperty("jwks_uri").GetString()!);
    }
}
