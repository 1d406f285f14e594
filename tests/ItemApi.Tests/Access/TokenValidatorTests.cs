using Failover.Hosting;
using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Failover.ItemApi.Tests.Access;

/// <summary>When the issuer's keys are read, and who waits for that.</summary>
public sealed class TokenValidatorTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly Issuer _issuer = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly CancellationTokenSource _ended = new();
    private Task _passing = Task.CompletedTask;
    private TokenValidator _tokens = null!;

    public async ValueTask InitializeAsync()
    {
        await _issuer.OpenAsync(true);
        _passing = PassAsync();
        _tokens = new TokenValidator(_issuer.Address, "items", null, _time, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _passing;
        _tokens.Dispose();
        await _issuer.DisposeAsync();
        _ended.Dispose();
    }

    /// <summary>Besides the leaps of a test time passes as it does: a read that is slow on a busy machine is tried again, as it would be.</summary>
    private async Task PassAsync()
    {
        var step = TimeSpan.FromMilliseconds(10);
        while (!_ended.IsCancellationRequested)
        {
            await Task.Delay(step, TimeProvider.System);
            _time.Advance(step);
        }
    }

    [Fact]
    public async Task Keys_of_an_hour_ago_do_while_an_issuer_that_hangs_is_asked_again()
    {
        var token = "Bearer " + _issuer.Token(age: -TimeSpan.FromDays(1));
        Assert.NotNull(await _tokens.ValidateAsync(token, Token));
        using var answers = new CancellationTokenSource();
        _issuer.Hangs = answers.Token;
        _time.Advance(TimeSpan.FromMinutes(59));
        var asked = _issuer.Asked;
        Assert.NotNull(await _tokens.ValidateAsync(token, Token));
        _time.Advance(TimeSpan.FromMinutes(2));
        for (var i = 0; i < 10; i++)
        {
            // Not one of them waits: the issuer answers to nobody.
            Assert.NotNull(await _tokens.ValidateAsync(token, Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        }

        await _issuer.AskedAsync(asked + 1);
        await answers.CancelAsync();
    }

    [Fact]
    public async Task After_an_hour_an_issuer_that_fails_is_asked_once_a_minute()
    {
        var token = "Bearer " + _issuer.Token(age: -TimeSpan.FromDays(1));
        Assert.NotNull(await _tokens.ValidateAsync(token, Token));
        var asked = _issuer.Asked;
        _issuer.Fails = true;
        _time.Advance(TimeSpan.FromHours(1));
        await AskManyAsync();
        // It is tried twice, and then no more.
        await _issuer.AskedAsync(asked + 2);
        await AskManyAsync();
        _time.Advance(TimeSpan.FromSeconds(20));
        await AskManyAsync();
        Assert.Equal(asked + 2, _issuer.Asked);
        _time.Advance(TimeSpan.FromSeconds(40));
        await AskManyAsync();
        await _issuer.AskedAsync(asked + 3);

        async Task AskManyAsync()
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.NotNull(await _tokens.ValidateAsync(token, Token));
            }
        }
    }

    [Fact]
    public async Task Keys_of_a_day_ago_are_believed_no_more_and_no_keys_are_no_answer()
    {
        var token = "Bearer " + _issuer.Token(age: -TimeSpan.FromDays(2));
        Assert.NotNull(await _tokens.ValidateAsync(token, Token));
        _issuer.HasNone = true;
        _time.Advance(TimeSpan.FromHours(23));
        Assert.NotNull(await _tokens.ValidateAsync(token, Token));
        _time.Advance(TimeSpan.FromHours(1));
        await Assert.ThrowsAsync<ProblemException>(() => _tokens.ValidateAsync(token, Token));
        _issuer.HasNone = false;
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.NotNull(await _tokens.ValidateAsync(token, Token));
    }

    [Fact]
    public async Task Who_leaves_takes_the_keys_from_nobody()
    {
        using var answers = new CancellationTokenSource();
        _issuer.Hangs = answers.Token;
        using var leaves = new CancellationTokenSource();
        var (first, second) = (_tokens.ValidateAsync("Bearer " + _issuer.Token(), leaves.Token), _tokens.ValidateAsync("Bearer " + _issuer.Token(), Token));
        await _issuer.AskedAsync(1);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await answers.CancelAsync();

        Assert.NotNull(await second);
    }

    [Fact]
    public async Task A_new_key_is_learnt_a_minute_after_the_last_reading()
    {
        Assert.NotNull(await _tokens.ValidateAsync("Bearer " + _issuer.Token(), Token));
        _issuer.Rotate();
        var token = "Bearer " + _issuer.Token(age: -TimeSpan.FromDays(1));
        Assert.Null(await _tokens.ValidateAsync(token, Token));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.NotNull(await _tokens.ValidateAsync(token, Token));
    }

    [Fact]
    public async Task Keys_at_an_address_that_anybody_can_change_are_nobodys()
    {
        _issuer.KeysAt = "http://keys.example/";
        var problem = await Assert.ThrowsAsync<ProblemException>(() => _tokens.ValidateAsync("Bearer " + _issuer.Token(), Token));

        Assert.Equal(ProblemKind.Unavailable, problem.Problem.Kind);
    }

    [Theory]
    [InlineData("https://issuer.example/", null, true)]
    [InlineData("http://issuer.example/", null, false)]
    [InlineData("issuer", null, false)]
    [InlineData("issuer", "https://issuer.example/keys", true)]
    [InlineData("issuer", "http://issuer.example/keys", false)]
    public void An_issuer_is_asked_over_https(string issuer, string? keys, bool isTaken)
    {
        var settings = new Dictionary<string, string?>
        {
            ["AWS_REGION"] = "us-east-1", ["ITEMS_TABLE"] = "Items", ["JWT_ISSUER"] = issuer, ["JWT_AUDIENCE"] = "items", ["JWKS_URL"] = keys, ["LISTEN"] = "[::1]:8080",
        };
        var mistake = Record.Exception(() => ItemApiOptions.Read(new Settings(settings.GetValueOrDefault), isLambda: false));

        Assert.Equal(isTaken, mistake is null);
        Assert.True(isTaken || mistake!.Message.Contains("https", StringComparison.Ordinal), mistake?.Message);
    }
}
