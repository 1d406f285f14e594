using System.Text.Json.Nodes;
using System.Threading.Channels;
using Failover.LocalHost.Aws;
using Microsoft.Extensions.Time.Testing;

namespace Failover.LocalHost.Tests;

/// <summary>What the queue of ticks delivers to the observer, and what it drops.</summary>
public sealed class TickTriggerTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private const int RoundsMax = 5000;

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero));
    private readonly Channel<string> _invoked = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _foundDown = new(0);
    private readonly SemaphoreSlim _foundRegionDown = new(0);
    private readonly SqsQueue _queue;
    private Task _run = null!;
    private volatile bool _isQueueDown;
    private volatile bool _isRegionDown;

    public TickTriggerTests() => _queue = new SqsQueue(_time);

    public ValueTask InitializeAsync()
    {
        _run = new TickTrigger(_queue, IsQueueDown, IsRegionDown, message => _invoked.Writer.TryWrite(message.Body),
            _time).RunAsync(_stop.Token);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _run);
        _stop.Dispose();
        _foundDown.Dispose();
        _foundRegionDown.Dispose();
    }

    [Fact]
    public async Task While_the_queue_is_down_nothing_is_delivered_and_what_is_young_comes_when_it_heals()
    {
        _isQueueDown = true;
        Send("first");
        Send("second");
        for (var polls = 0; polls < 3; polls++)
        {
            await AdvanceUntilAsync(() => _foundDown.Wait(0, Token));
        }

        Assert.False(_invoked.Reader.TryPeek(out _));
        await HealAsync();
        string[] delivered = [await _invoked.Reader.ReadAsync(Token), await _invoked.Reader.ReadAsync(Token)];
        Assert.Equal(["first", "second"], delivered.Order());
    }

    [Fact]
    public async Task What_is_older_than_a_minute_when_the_queue_heals_is_dropped()
    {
        _isQueueDown = true;
        Send("old");
        await _foundDown.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(61));
        Send("young");
        await HealAsync();

        Assert.Equal("young", await _invoked.Reader.ReadAsync(Token));
    }

    [Fact]
    public async Task What_finds_the_region_down_is_dropped()
    {
        _isRegionDown = true;
        Send("lost");
        await _foundRegionDown.WaitAsync(Token);
        _isRegionDown = false;
        Send("next");

        Assert.Equal("next", await _invoked.Reader.ReadAsync(Token));
    }

    private bool IsQueueDown()
    {
        var isDown = _isQueueDown;
        if (isDown)
        {
            _foundDown.Release();
        }

        return isDown;
    }

    private bool IsRegionDown()
    {
        var isDown = _isRegionDown;
        if (isDown)
        {
            _foundRegionDown.Release();
        }

        return isDown;
    }

    /// <summary>Heals the queue, and lets time pass until the trigger has looked again.</summary>
    private async Task HealAsync()
    {
        _isQueueDown = false;
        await AdvanceUntilAsync(() => _invoked.Reader.TryPeek(out _));
    }

    private async Task AdvanceUntilAsync(Func<bool> isTrue)
    {
        for (var round = 0; !isTrue(); round++)
        {
            Assert.True(round < RoundsMax, "It does not come true, however much time passes.");
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Token);
        }
    }

    private void Send(string body) => _queue.Handle("SendMessage", new JsonObject { ["MessageBody"] = body });
}
