//! A lost socket in a room of several: its owner keeps its place, its name and what it may.

use echomingle::core::protocol::{ErrorCode, LeaveReason};

use crate::party::{
    MEMBER, NEWCOMER, all_lose, all_talk, away, back, comes_in, gather, gone, is_told_to_all,
    stands,
};
use crate::server::Server;
use crate::visitor::{Vanishing, nobody_hears_more};

#[tokio::test]
async fn whoever_is_lost_comes_back_to_its_place_and_all_hear_both_once() {
    let server = Server::start().await;
    let people = gather(&server, "kitchen", ["Ana", "Bea", "Cleo", "Dan"]).await;
    let mut people = Vec::from(people);
    for how in [Vanishing::Ended, Vanishing::Reset] {
        for lost in 0..people.len() {
            let visitor = people.remove(lost);
            let past = visitor.past();
            visitor.vanishes(how).await;
            is_told_to_all(away(past.id), &mut people).await;
            // Nobody takes its seat meanwhile.
            let mut eve = server.visitor_of("kitchen", "eve").await;
            eve.enters("Eve").await;
            eve.is_refused(ErrorCode::RoomFull).await;
            eve.closes(None).await;

            let others = people.iter().enumerate().map(|(n, other)| match n < lost {
                true => other.seen_by(NEWCOMER),
                false => other.seen_by(MEMBER),
            });
            let mut visitor = server.returns(&past, others).await;
            let host = if lost == 0 { past.id } else { people[0].id };
            visitor.hears(stands(host, false)).await;
            is_told_to_all(back(past.id), &mut people).await;
            people.insert(lost, visitor);
            let [ana, bea, cleo, dan] = &mut people[..] else {
                panic!("there are four of them");
            };
            all_talk([ana, bea, cleo, dan]).await;
            nobody_hears_more(&mut people).await;
        }
    }
}

#[tokio::test]
async fn a_host_who_is_away_is_the_host_and_comes_back_as_such() {
    let server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
    let past = ana.past();
    ana.vanishes(Vanishing::Ended).await;
    is_told_to_all(away(past.id), [&mut bea, &mut cleo]).await;
    bea.locks(false).await;
    bea.is_refused(ErrorCode::NotAllowed).await;
    let mut dan = server.visitor_of("kitchen", "dan").await;
    dan.enters("Dan").await;
    dan.is_refused(ErrorCode::RoomLocked).await;

    let others = [&bea, &cleo].map(|other| other.seen_by(MEMBER));
    let mut ana = server.returns(&past, others).await;
    ana.hears(stands(ana.id, true)).await;
    is_told_to_all(back(ana.id), [&mut bea, &mut cleo]).await;
    ana.locks(false).await;
    is_told_to_all(stands(ana.id, false), [&mut ana, &mut bea, &mut cleo]).await;
    comes_in(&mut dan, "Dan", [&mut ana, &mut bea, &mut cleo]).await;
    all_talk([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn who_came_while_somebody_was_away_is_met_when_that_one_is_back() {
    let server = Server::start().await;
    let [ana, mut bea] = gather(&server, "kitchen", ["Ana", "Bea"]).await;
    let was_ana = ana.past();
    ana.vanishes(Vanishing::Ended).await;
    bea.misses(was_ana.id).await;
    let mut cleo = server.visitor_of("kitchen", "cleo").await;
    cleo.enters("Cleo").await;
    cleo.hears(stands(was_ana.id, false)).await;
    cleo.meets(bea.seen_by(NEWCOMER)).await;
    bea.meets(cleo.seen_by(MEMBER)).await;

    let mut ana = server.returns(&was_ana, [bea.seen_by(MEMBER)]).await;
    bea.has_again(ana.id).await;
    ana.hears(stands(ana.id, false)).await;
    ana.meets(cleo.seen_by(MEMBER)).await;
    cleo.meets(ana.seen_by(NEWCOMER)).await;
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;

    // Her token knows of all of them by now.
    let was_ana = ana.past();
    ana.vanishes(Vanishing::Reset).await;
    is_told_to_all(away(was_ana.id), [&mut bea, &mut cleo]).await;
    let others = [&bea, &cleo].map(|other| other.seen_by(MEMBER));
    let mut ana = server.returns(&was_ana, others).await;
    ana.hears(stands(ana.id, false)).await;
    is_told_to_all(back(ana.id), [&mut bea, &mut cleo]).await;
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn two_who_are_away_at_once_find_each_other_again() {
    let server = Server::start().await;
    let [ana, mut bea, cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    let (was_ana, was_cleo) = (ana.past(), cleo.past());
    ana.vanishes(Vanishing::Ended).await;
    bea.misses(was_ana.id).await;
    let mut cleo = cleo;
    cleo.misses(was_ana.id).await;
    cleo.vanishes(Vanishing::Ended).await;
    bea.misses(was_cleo.id).await;

    let others = [was_ana.missed_by(NEWCOMER), bea.seen_by(NEWCOMER)];
    let mut cleo = server.returns(&was_cleo, others).await;
    cleo.misses(was_ana.id).await;
    cleo.hears(stands(was_ana.id, false)).await;
    bea.has_again(cleo.id).await;
    let others = [&bea, &cleo].map(|other| other.seen_by(MEMBER));
    let mut ana = server.returns(&was_ana, others).await;
    ana.hears(stands(ana.id, false)).await;
    is_told_to_all(back(ana.id), [&mut bea, &mut cleo]).await;
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_is_removed_while_it_is_away_does_not_come_back_by_its_token() {
    let server = Server::start().await;
    let [mut ana, bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    let was_bea = bea.past();
    bea.vanishes(Vanishing::Ended).await;
    is_told_to_all(away(was_bea.id), [&mut ana, &mut cleo]).await;
    ana.removes(was_bea.id).await;
    let removed = gone(was_bea.id, LeaveReason::Removed);
    is_told_to_all(removed, [&mut ana, &mut cleo]).await;
    let mut bea = server.comes_again(&was_bea).await;
    bea.claims(&was_bea).await;
    bea.is_refused(ErrorCode::BadToken).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    // The door is open to her, as it is to anybody.
    comes_in(&mut bea, "Bea", [&mut ana, &mut cleo]).await;
    all_talk([&mut ana, &mut cleo, &mut bea]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn a_host_who_is_lost_for_good_is_followed_and_its_token_opens_nothing() {
    let server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
    ana.goes_away().await;
    let was_ana = ana.past();
    ana.closes(None).await;
    all_lose(was_ana.id, LeaveReason::Lost, [&mut bea, &mut cleo]).await;
    is_told_to_all(stands(bea.id, true), [&mut bea, &mut cleo]).await;
    let mut ana = server.comes_again(&was_ana).await;
    ana.claims(&was_ana).await;
    ana.is_refused(ErrorCode::BadToken).await;
    ana.enters("Ana").await;
    ana.is_refused(ErrorCode::RoomLocked).await;
    bea.locks(false).await;
    is_told_to_all(stands(bea.id, false), [&mut bea, &mut cleo]).await;
    comes_in(&mut ana, "Ana", [&mut bea, &mut cleo]).await;
    all_talk([&mut bea, &mut cleo, &mut ana]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_was_alone_comes_back_to_its_locked_room() {
    let server = Server::start().await;
    let mut ana = server.visitor_of("kitchen", "ana").await;
    comes_in(&mut ana, "Ana", []).await;
    ana.locks(true).await;
    ana.hears(stands(ana.id, true)).await;
    let was_ana = ana.past();
    ana.vanishes(Vanishing::Ended).await;
    let mut ana = server.returns(&was_ana, []).await;
    ana.hears(stands(ana.id, true)).await;
    let mut bea = server.visitor_of("kitchen", "bea").await;
    bea.enters("Bea").await;
    bea.is_refused(ErrorCode::RoomLocked).await;
    ana.locks(false).await;
    ana.hears(stands(ana.id, false)).await;
    comes_in(&mut bea, "Bea", [&mut ana]).await;
    all_talk([&mut ana, &mut bea]).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}
